"""`python -m mobile_app` and `motcua-tablet`: the tablet from the command line."""

from mobile_app.program import main

if __name__ == "__main__":
    main()
