"""Files in: what arrived in JSON Lines, CSV or Excel becomes raw entries. The domain judges
them.
"""

from api.importing.files import read_file
from api.importing.rows import RawRow, UnreadableFile

__all__ = ["RawRow", "UnreadableFile", "read_file"]
