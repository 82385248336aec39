"""A study's result as plain values, made up: every part of the page has something to show."""


def _interval(value, half=0.03):
    return {"value": value, "low": value - half, "high": value + half, "se": half / 2, "df": 30.0}


def _auc(name, value, **more):
    runs = [value - 0.01, value, value + 0.01]
    return {
        "name": name,
        "auc": value,
        "auc_low": value - 0.04,
        "auc_high": value + 0.03,
        "runs": runs,
        **more,
    }


def _comparison(kind, first, second, value, verdict):
    return {
        "kind": kind,
        "first": first,
        "second": second,
        "difference": value,
        "low": value - 0.03,
        "high": value + 0.03,
        "p": 0.0004 if value else 0.5,
        "verdict": verdict,
        "smallest_detectable": 0.043,
    }


def study_result(name="full.{}/attention", data="ffpp c23"):
    """The values of a whole study, with one name of cells and data in it."""
    arms = [name.format(view) for view in ("whole", "mouth_only", "mouth_reduced", "mouth")]
    whole, only, reduced, mouth = arms
    about = {"density": [0.9, 0.9], "pixels": 50176.0, "parameters": {"total": 7_000_000}, "coverage": 0.99}
    return {
        "plan": {
            "hash": "0123456789ab",
            "seeds": 3,
            "folds": 0,
            "margin": 0.02,
            "data": {"name": data, "identity": "1b2c3d4e5f60"},
            "training": {"backbone": "efficientnet_b1", "weights": "imagenet", "profile_steps": ""},
        },
        "opened": {"plan": "0123456789ab", "time": "2026-01-02T03:04:05Z", "scored_before": []},
        "verdict": f"{mouth} is better than {reduced}: +0.050 [+0.020, +0.080], p < 0.001",
        "notes": ["12% of the test videos have faces of at most 224 pixels"],
        "cells": [_auc(arm, 0.8 + place / 25, **about) for place, arm in enumerate(arms)],
        "comparisons": [
            _comparison("primary", mouth, reduced, 0.05, "better"),
            _comparison("secondary", reduced, only, 0.0, "inconclusive"),
            _comparison("exploratory", whole, reduced, -0.04, "worse"),
        ],
        "decomposition": [
            {"step": step, "first": mouth, "second": whole, **_interval(value)}
            for step, value in (
                ("information", 0.05),
                ("magnification", 0.0),
                ("context", -0.01),
                ("all together", 0.04),
            )
        ],
        "curve": [_auc(mouth, 0.7 + share / 5, retention=share) for share in (0.25, 0.5, 1.0)],
        "dose": [
            {"face_above": 0.0, "face_up_to": 224.0, "num_videos": 40, **_interval(0.0)},
            {"face_above": 224.0, "face_up_to": 300.0, "num_videos": 50, **_interval(0.06)},
            {"face_above": 300.0, "face_up_to": 301.0, "num_videos": 2, "value": None},
        ],
        "robustness": [
            _auc(cell, 0.9 - strength / 20, corruption=kind, strength=strength, unit="pixels")
            for kind in ("codec", "blur")
            for strength in (1, 2, 4)
            for cell in (mouth, reduced)
        ],
        "transfer": [
            _auc(mouth, 0.7, data="data/celebdf"),
            {"data": "data/one_class", "reason": "no real video"},
        ],
        "nuisances": [
            {"cell": mouth, "nuisance": "face_size", "class": "real", "value": 0.1, "low": -0.1, "high": 0.3},
            {"cell": mouth, "nuisance": "jitter", "class": "fake", "value": None, "low": None, "high": None},
        ],
    }
