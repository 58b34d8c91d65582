"""What a simulation costs as it grows, whether a change made it slower, and whether a release may go out."""
