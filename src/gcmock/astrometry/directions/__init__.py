"""Where stars are seen: space motion, parallax, the observer, light."""
