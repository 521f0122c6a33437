"""The public list as type checkers and editors read it; a test compares it with the table in __init__.py."""

from gradatim.base.errors import GradatimError as GradatimError
from gradatim.base.errors import InputError as InputError
from gradatim.base.errors import ResourceError as ResourceError
from gradatim.base.errors import UnsafeInputError as UnsafeInputError
from gradatim.base.errors import UsageError as UsageError
from gradatim.base.grid import Grid as Grid
from gradatim.base.nouns import Answer as Answer
from gradatim.base.nouns import Feature as Feature
from gradatim.base.nouns import FieldMap as FieldMap
from gradatim.base.nouns import MultiEcho as MultiEcho
from gradatim.base.nouns import QuantitativeMap as QuantitativeMap
from gradatim.base.nouns import Regions as Regions

__version__: str
