"""What AWS refuses and moto does not, a few lines a rule. Importing the package enters all of them.

The groups: `model` is what botocore's models say about a request, `strict` what they do not say, `quota` what a fresh
account may have, `order` what has to happen before what and what is there already, `permissions` what the caller may
do, `consistency` what is not visible yet, `limits` how often a call may be made. `gaps` refuses nothing: it notes a call that
takes from something that serves what it cannot be without. Nor does `open`, which notes ways around what was to be closed.
"""

import importlib
import pkgutil

for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")
