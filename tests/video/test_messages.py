"""What FFmpeg says is heard, also by several threads, and its level is left as it was."""

from threading import Event, Thread

import av.logging
import pytest

from deepfake_tfdata.video.messages import messages


def say(text):
    av.logging.log(av.logging.ERROR, "h264", text)


def test_threads_do_not_silence_each_other():
    inside, leave = Event(), Event()

    def listen():
        with messages():
            inside.set()
            leave.wait()

    first = Thread(target=listen)
    first.start()
    inside.wait()
    with messages() as lines:
        leave.set()
        first.join()
        say("concealing")
    assert [text for _, _, text in lines] == ["concealing"]


@pytest.mark.parametrize("level", [None, av.logging.WARNING])
def test_the_level_is_left_as_it_was(level):
    av.logging.set_level(level)
    try:
        with messages(av.logging.DEBUG) as lines:
            say("twice")
            say("twice")
        assert len(lines) == 2
        assert (av.logging.get_level(), av.logging.get_skip_repeated()) == (level, True)
    finally:
        av.logging.set_level(None)
