"""What stands where something was taken out."""

import re
from typing import Final

MARK: Final = "[REDACTED]"
"""Stands for a value. Constant, so that it does not tell the value's length."""

FAILED: Final = "[REDACTED:error]"
"""Stands for a whole part whose redaction failed: nothing of it is shown."""

TOO_DEEP: Final = "[TRUNCATED:depth]"
"""Stands for a JSON value below the 32nd level."""

MARKED: Final = re.compile(r"\[REDACTED(?::[^\]\n]{1,40})?\]")
"""Any of the marks of a redaction, with a note or without."""
