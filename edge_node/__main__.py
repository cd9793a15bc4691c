"""`python -m edge_node` and `motcua-edge`: the ward's station from the command line."""

from edge_node.program import main

if __name__ == "__main__":
    main()
