"""Base against candidate: live on one machine, and what stored results can and cannot say."""
