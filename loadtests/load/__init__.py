"""The people: what a load process is made of, and (`load`, all that the harness may import) how it is started."""
