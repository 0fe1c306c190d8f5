"""Every setting of a run and its default, and which file holds which.

config    what is learned, of what and how: the run's identity, saved in config.json and
          hashed; EXPERIMENTS names a preset for each setting of the paper
recipes   where paper, 2021 code and kfer differ; one field of the config
options   what one method alone reads; kept in the config, refused for other methods
own_data  the config that follows from a data set's own columns instead of a preset
parsing   text of --set=NAME=VALUE to values

How long and how a run is executed (steps, strategy, precision, first weights) is
kfer.training.loop.RunSettings, which is no part of the config or its hash.
"""
