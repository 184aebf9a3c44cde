"""Point-cloud classification with knowledge distillation, on MMEngine.

Importing the package costs nothing: registries, models and data sets load when they are first asked
for.
"""

__version__ = '0.1.0'
