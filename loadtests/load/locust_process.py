"""One load process: `python -m loadtests.load.locust_process` and Locust's own words."""

import gc

# Nothing of what is imported is garbage, and to look for some takes a tenth of the start. The locustfile ends it.
gc.disable()

from locust.main import main  # noqa: E402

if __name__ == "__main__":
    main()  # type: ignore[no-untyped-call]
