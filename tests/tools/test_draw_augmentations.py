"""The picture in the README."""

import pytest
from PIL import Image

from tools.draw_augmentations import main


@pytest.mark.slow
def test_the_sheet_fits_the_page(tmp_path):
    main([f"--output={tmp_path / 'sheet.png'}"])
    assert (tmp_path / "sheet.png").stat().st_size < 500_000
    width, height = Image.open(tmp_path / "sheet.png").size
    assert 700 < width < 900
    assert height < 1200
