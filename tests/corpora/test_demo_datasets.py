"""Demo files of products and plays hold what their truth says, by the oracle's reading."""

import pytest

from infra.local.demo import ROW_MAKERS
from tests.demo_datasets import demo

datasets = pytest.mark.parametrize("dataset", ["products", "plays"])


@datasets
def test_clean_file_is_all_good(dataset: str) -> None:
    file = demo(dataset, 5000)
    assert (len(file.rows), file.outcome.refused, file.truth) == (5000, [], [])


@datasets
@pytest.mark.parametrize("seed", range(3))
def test_truth_is_what_the_oracle_finds(dataset: str, seed: int) -> None:
    file = demo(dataset, 1500, dirty=0.3, seed=seed)
    told = [(odd["record"], odd["line"], odd["column"], odd["code"]) for odd in file.truth if not odd["valid"]]
    refused = file.outcome.refused
    assert [(one.record.number, one.record.line, *one.errors[0]) for one in refused] == told
    assert {(odd["record"], odd["line"]) for odd in file.truth if odd["valid"]} < {
        (record.number, record.line) for record, _ in file.outcome.inserted
    }
    assert (len(file.rows) + len(refused), len(refused)) == (file.summary.rows, file.summary.rejected)


@datasets
def test_every_kind_comes_up(dataset: str) -> None:
    assert set(demo(dataset, 200, dirty=0.5).summary.odd) == set(ROW_MAKERS[dataset].kinds)


def test_products_of_different_seeds_share_no_sku() -> None:
    skus = [row["sku"] for seed in range(20) for row in demo("products", 1000, seed=seed).rows]
    assert len(set(skus)) == 20_000


def test_dirty_products_come_back_changed_and_unchanged() -> None:
    file = demo("products", 1000, dirty=0.2)
    skus = [row["sku"] for row in file.rows]
    assert len(set(skus)) < len(skus)
    for odd in file.truth:
        assert (odd["duplicate_of"] is not None) == (odd["kind"] in ("changed_product", "same_product"))


def test_plays_of_a_song_come_again_within_a_file_and_across_files() -> None:
    first, second = ({(row["song"], row["date"]) for row in demo("plays", 30_000, seed=seed).rows} for seed in (1, 2))
    assert len(first) < 30_000
    assert first & second
