"""The commands of `twinshop`: one file each. `loadtests.cli` imports one only when it is called."""
