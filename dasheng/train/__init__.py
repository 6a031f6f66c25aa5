"""The trainer: from shards of audio to an encoder that `dasheng_base(path=FILE)` opens.

`python -m dasheng.train CONFIG.yaml` reads a configuration (`config`), builds the masked
autoencoder (`model`) and trains it (`loop`) on batches of crops (`shards`, `audio`, `crops`,
`batches`). Needs the extra `[train]`; nothing else in the package imports it.
"""
