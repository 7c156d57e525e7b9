"""Writes tests/data/matlab: masks as SBD, PASCAL Context and COCO-Stuff 10k publish them, by SciPy. Needs python3-scipy."""
import pathlib
import sys

import numpy as np
import scipy.io
import scipy.sparse

HEIGHT, WIDTH = 5, 7


def labels(most, kind):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return ((31 * rows + 7 * columns) % (most + 1)).astype(kind)


def cells(values):
    array = np.empty((len(values), 1), dtype=object)
    for i, value in enumerate(values):
        array[i, 0] = value
    return array


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    edges = cells([scipy.sparse.csc_matrix(labels(20, np.uint8) == i) for i in range(20)])
    present = np.array([[2], [15]], dtype=np.uint8)
    structure = {"Boundaries": edges, "Segmentation": labels(20, np.uint8), "CategoriesPresent": present}
    scipy.io.savemat(folder / "sbd.mat", {"GTcls": structure}, do_compression=True)
    scipy.io.savemat(folder / "sbd-objects.mat", {"GTinst": structure}, do_compression=True)
    scipy.io.savemat(folder / "context.mat", {"LabelMap": labels(459, np.uint16)}, do_compression=True)
    scipy.io.savemat(
        folder / "coco-stuff10k.mat",
        {
            "S": labels(182, np.uint16),
            "names": cells(["unlabeled", "person", "bicycle"]),
            "captions": cells(["a cat"]),
            "regionMapStuff": labels(12, np.uint16),
            "regionLabelsStuff": np.array([[105], [110]], dtype=np.uint16),
        },
    )
    scipy.io.savemat(folder / "one-double.mat", {"anything": labels(300, np.float64), "note": "text"}, do_compression=True)
    scipy.io.savemat(folder / "two.mat", {"a": labels(3, np.uint8), "b": labels(4, np.uint8)})
    scipy.io.savemat(folder / "version4.mat", {"a": labels(3, np.uint8)}, format="4")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/data/matlab"))
