"""What encoders are made of: no HEAR modules themselves."""
