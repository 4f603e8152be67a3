"""Many processes and machines: the only place that knows Dask and HATS catalogues."""
