"""The catalogue and the units are complete and well formed."""

import re

from sync_protocol.dossier.procedure import catalogue, known, procedure_name
from sync_protocol.dossier.unit import hanoi_units


def test_the_catalogue_has_the_working_set() -> None:
    assert len(catalogue()) >= 68
    assert all(re.fullmatch(r"[1-9]\.\d{6}", code) for code in catalogue())
    assert all(row.name and row.field for row in catalogue().values())
    assert all(len(row.name) <= 60 for row in catalogue().values())


def test_names_are_unique_so_that_a_list_can_be_read() -> None:
    assert len({row.name for row in catalogue().values()}) == len(catalogue())


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert known("1.001193")
    assert procedure_name("1.001193") == "Đăng ký khai sinh"
    assert not known("1.999999")
    assert procedure_name("1.999999") == "1.999999"


def test_ha_noi_has_51_wards_and_75_communes() -> None:
    names = list(hanoi_units().values())
    assert sum(name.startswith("Phường ") for name in names) == 51
    assert sum(name.startswith("Xã ") for name in names) == 75
    assert len(set(names)) == 126
    assert hanoi_units()["00070"] == "Phường Hoàn Kiếm"
