"""Say which notebooks ended well: the last step of the Snakefile."""

import sys

from varbook.runner import plan


def main(arguments: list[str]) -> int:
    """Print the outcome of the notebooks named after mode and profile; 1 where one did not end
    well.
    """
    mode, profile, *names = arguments
    chosen = [node for node in plan.nodes(None, solutions=True) if node.name in names]
    code, text = plan.summary(mode, profile, chosen)
    print(text, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
