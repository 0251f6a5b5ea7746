"""A local AWS for the tests of tapctl: moto, corrected towards what AWS really does."""

import os

# moto reads these while it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
