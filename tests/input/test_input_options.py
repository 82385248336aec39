"""What a user may ask of the input, and what is refused before anything is read."""

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.options import InputOptions, parse_address, parse_balance, region_names


@pytest.mark.parametrize(
    ("balance", "weights"),
    [
        ("none", {}),
        ("method", {}),
        ("original:1,Face2Face:1000", {"original": 1, "Face2Face": 1000}),
        ("a:b:2, fake:3", {"a:b": 2, "fake": 3}),
    ],
)
def test_a_balance_is_a_word_or_weights(balance, weights):
    assert parse_balance(balance) == weights


@pytest.mark.parametrize(
    "balance",
    ["", "half", "original", "original:", ":2", "original:0", "original:-1", "a:1001", "a:1.5", "a:1,"],
)
def test_what_is_no_balance_is_named_with_what_to_use(balance):
    with pytest.raises(
        UserError, match=f"--balance={balance} is unknown; use none, class, method, or weights"
    ):
        InputOptions(balance=balance)


def test_a_name_with_two_weights_is_refused():
    with pytest.raises(UserError, match="--balance=fake:1,real:1,fake:2 has fake twice; name each once"):
        InputOptions(balance="fake:1,real:1,fake:2")


@pytest.mark.parametrize("regions", ["full,mouth", "full, mouth", ("full", "mouth"), ["full", "mouth"]])
def test_regions_are_named_with_commas_or_one_by_one(regions):
    assert region_names(regions) == ("full", "mouth")


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ("", "no region is named"),
        ((), "no region is named"),
        ("full,", "--region=full, has a region without a name"),
        (("", "full"), "--region=,full has a region without a name"),
        ("full,,mouth", "--region=full,,mouth has a region without a name"),
        ("full,mouth, full", "--region=full,mouth,full has a region twice"),
    ],
)
def test_regions_that_make_no_sense_are_refused(regions, message):
    with pytest.raises(UserError, match=message):
        region_names(regions)


@pytest.mark.parametrize(
    ("address", "place"), [("grpc://host:5050", ("host", 5050)), ("grpc://[::1]:1", ("[::1]", 1))]
)
def test_an_address_has_a_host_and_a_port(address, place):
    assert parse_address(address) == place


@pytest.mark.parametrize(
    "address", ["host:5050", "http://host:5050", "grpc://:5050", "grpc://host", "grpc://host:a"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UserError, match=f"--data_service={address} is no address; use grpc://HOST:PORT"):
        InputOptions(data_service=address)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cache_dir": "gs://bucket/x"}, "--cache_dir=gs://bucket/x is on object storage"),
        ({"augment": "blurr"}, "unknown augmentation 'blurr'"),
        ({"region": ""}, "no region is named"),
        ({"batch_size": 0}, "--batch_size=0 is out of range"),
        ({"frame_size": -1}, "--frame_size=-1 is out of range"),
    ],
)
def test_other_mistakes_are_named(values, message):
    with pytest.raises(UserError, match=message):
        InputOptions(**values)
