"""The service over a fresh ledger, as the tests of `api` have it."""

from tests.api.conftest import service as service
from tests.api.conftest import settled as settled
