"""HEAR modules that stand in the tables beside Dasheng."""
