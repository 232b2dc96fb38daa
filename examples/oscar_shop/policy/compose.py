"""Write this shop's policy into a folder: the one that ships with Shopward, and what stands beside this file.

python compose.py FOLDER && shopward policy test --policy FOLDER && shopward serve --policy FOLDER
"""

import shutil
import sys
from importlib import resources
from pathlib import Path

folder = Path(sys.argv[1])
with resources.as_file(resources.files("shopward.risk").joinpath("default")) as shipped:
    shutil.copytree(shipped, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
here = Path(__file__).parent
with (folder / "features.toml").open("a", encoding="utf-8") as features:
    features.write((here / "features.toml").read_text(encoding="utf-8"))
shutil.copytree(here / "rules", folder / "rules", dirs_exist_ok=True)
