"""The corpus of inputs: worlds that show every event type, edge label and pair of labels, as small as they were met.

offer(corpus, folder)   take a unit's inputs in
covered(corpus)         what the corpus shows
prune(corpus)           hold it to its limits
"""

from scale.nightly.inputs.corpus import Covered, Offered, covered, offer, prune

__all__ = ["Covered", "Offered", "covered", "offer", "prune"]
