"""A folder that holds records already, and a command that would add to them."""

from dataclasses import replace

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.job import plan_conversion
from deepfake_tfdata.records.metadata import write_conversion
from deepfake_tfdata.records.options import ConversionConfig, ExecutionOptions
from tests.clips.trees import make_tree


@pytest.fixture
def config(tmp_path):
    """Of sixteen videos."""
    tree = make_tree(tmp_path / "in", "real/{a,b,c,d,e,f,g,h}.mp4", "fake/{a,b,c,d,e,f,g,h}.mp4")
    return ConversionConfig(source=str(tree), output=str(tmp_path / "out"))


def planned(config, **execution):
    return plan_conversion(replace(config, execution=ExecutionOptions(**execution)), {})


@pytest.mark.parametrize(
    ("trial", "whole", "message"),
    [
        (
            {"limit": 2},
            {},
            "was converted with --limit=2 and this command has no --limit; .* with --limit=2$",
        ),
        ({}, {"limit": 3}, "was converted with no --limit and this command has --limit=3; "),
        ({"shard_mib": 20}, {}, "with --shard_mib=20 and this command has --shard_mib=256.0; "),
    ],
)
def test_a_trial_folder_names_the_flag_that_it_was_made_with(trial, whole, message, config):
    job = planned(config, **trial)
    write_conversion(job.output, job.conversion)
    with pytest.raises(UserError, match=message):
        planned(config, **whole)
    assert planned(config, **trial).conversion == job.conversion


def test_other_videos_are_refused_without_a_flag(config, tmp_path):
    job = planned(config)
    write_conversion(job.output, job.conversion)
    make_tree(tmp_path / "in", "real/i.mp4")
    with pytest.raises(UserError, match="holds a conversion of other videos or splits"):
        planned(config)


def test_a_limit_that_leaves_nothing_out_is_no_other_plan(config):
    job = planned(config)
    write_conversion(job.output, job.conversion)
    assert planned(config, limit=16).shards == job.shards


def test_shards_are_as_large_as_asked_for(config):
    assert len(planned(config).shards) < len(planned(config, shard_mib=0.001).shards) == 16
