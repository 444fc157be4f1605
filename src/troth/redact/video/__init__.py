"""Videos without the people in them: faces followed from frame to frame, words at each new scene, no voices."""
