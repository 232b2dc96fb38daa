"""Formats: recorded streams and other people's files become events.

Promise: reading is streaming (memory does not grow with the file), every row is either a valid ``Event`` or a
refusal with its line, what was expected and what was found, and one bad row spoils no other. Nothing here records,
decides, or opens an address of the network. Labels never stand inside the events unless they are asked for.

- ``read_events``: streams that are already events (NDJSON plain, .gz, .zst, ``-``; Parquet);
- ``read_rba``, ``read_aws_ati``, ``SshdLog``, ``read_csv`` with ``load_map``: other formats;
- ``with_label_events``, ``EventWriter``, ``LabelWriter``: where imported events and labels go.
"""

from shopward.adapters.formats.aws_ati import read_aws_ati
from shopward.adapters.formats.csv_map import read_csv
from shopward.adapters.formats.csv_spec import CsvMap, load_map, shipped_maps
from shopward.adapters.formats.labels import with_label_events
from shopward.adapters.formats.ndjson import EventWriter, LabelWriter
from shopward.adapters.formats.rba import read_rba
from shopward.adapters.formats.rows import Imported, Refusal
from shopward.adapters.formats.sources import Source
from shopward.adapters.formats.sshd import SshdLog
from shopward.adapters.formats.streams import EventStream, read_events

__all__ = [
    "CsvMap",
    "EventStream",
    "EventWriter",
    "Imported",
    "LabelWriter",
    "Refusal",
    "Source",
    "SshdLog",
    "load_map",
    "read_aws_ati",
    "read_csv",
    "read_events",
    "read_rba",
    "shipped_maps",
    "with_label_events",
]
