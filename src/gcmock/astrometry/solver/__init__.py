"""The astrometric solution: problem, normal equations, elimination, covariances."""
