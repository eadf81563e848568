"""Looks things up in the results."""


def cell(results, peer, work, connections, workers):
    """The cell's figures; none where it was not measured."""
    wanted = (peer, work, connections, workers)
    for found in results["cells"]:
        if (found["peer"], found["work"], found["connections"], found["workers"]) == wanted:
            return found
    return None
