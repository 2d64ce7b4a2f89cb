"""Settings from the environment: a bad or unknown one ends the process with one line for a person."""

import difflib
import os
import sys
from typing import NoReturn

from pydantic import ValidationError

from headcount.settings import PREFIX, Settings, variable

EXIT_BAD_SETTING = 2


def load_settings() -> Settings:
    """Settings from the environment; a bad or unknown one ends the process: one line on stderr, exit 2."""
    known = {variable(name) for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            endings = [setting.removeprefix(PREFIX) for setting in known]
            near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), endings, n=1)
            _refuse(f"{name} is no setting of Headcount." + (f" Did you mean {PREFIX}{near[0]}?" if near else ""))
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            _refuse(first["msg"].removeprefix("Value error, ") + ".")
        name = str(first["loc"][0])
        name = name if name.isupper() else variable(name)
        _refuse(f"{name}={first['input']!r} is not valid: {first['msg'].removeprefix('Value error, ')}.")


def _refuse(line: str) -> NoReturn:
    sys.stderr.write(f"headcount: {line}\n")
    raise SystemExit(EXIT_BAD_SETTING)
