"""Tables in and out: Parquet, FITS, VOTable, ECSV and CSV."""
