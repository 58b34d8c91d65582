"""What is measured: the scenarios of catalogue.yaml and the cells they consist of."""

from scale.scenarios.catalogue import PRESETS, Scenario, catalogue, product_of, scenario

__all__ = ["PRESETS", "Scenario", "catalogue", "product_of", "scenario"]
