#!/usr/bin/env python3
"""Makes tests/data/hdf5: datasets in each layout that HDF5 has, groups and attributes of each kind, and a small Keras
model saved in several ways. Needs h5py, numpy and keras."""

import ctypes
import json
import os
import pathlib
import tempfile
import zipfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import h5py
import numpy as np

HERE = pathlib.Path(__file__).with_name("hdf5")
FILTERS = {
    "gzip": {"compression": "gzip"},
    "shuffle": {"shuffle": True, "compression": "gzip", "fletcher32": True},
    "fletcher": {"fletcher32": True},
    "lzf": {"compression": "lzf", "shuffle": True},
}


def values(shape, dtype="<f4"):
    """Value number i is i % 200 / 4 - 10, which all precisions hold."""
    return (np.arange(np.prod(shape)) % 200 / 4 - 10).reshape(shape).astype(dtype)


def add(group, name, shape, dtype="<f4", **options):
    group.create_dataset(name, data=values(shape, dtype), dtype=dtype, **options)


def add_filled(group, name, shape, **options):
    """The first two rows are written, the others have the fill value."""
    data = group.create_dataset(name, shape, "<f4", fillvalue=2.5, **options)
    data[:2] = values(shape)[:2]


def low_level(group, name, shape, edit, chunks=None):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if chunks:
        properties.set_chunk(chunks)
    edit(properties)
    space = h5py.h5s.create_simple(shape)
    data = h5py.h5d.create(group.id, name.encode(), h5py.h5t.IEEE_F32LE, space, properties)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(values(shape)))


def compact(properties):
    properties.set_layout(h5py.h5d.COMPACT)


def early(properties):
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)


def raw_edges(properties):
    """Chunks that the shape cuts off go through no filters, which h5py has no word for, but its HDF5 has."""
    properties.set_deflate(4)
    library = next(line.split()[-1] for line in open("/proc/self/maps") if "/libhdf5-" in line)
    set_chunk_options = ctypes.CDLL(library).H5Pset_chunk_opts
    set_chunk_options.argtypes = [ctypes.c_int64, ctypes.c_uint]
    assert set_chunk_options(properties.id, 2) == 0


def add_datasets(file):
    latest = file.libver[0] != "earliest"
    for dtype in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        add(file, "type_" + dtype.replace("<", "little_").replace(">", "big_"), (3, 5), dtype)
    file.create_dataset("scalar", data=np.float32(-10))
    file.create_dataset("empty", data=np.zeros((0, 4), np.float32))
    file.create_dataset("never_written_filled", (4, 5), "<f4", fillvalue=2.5)
    low_level(file, "compact", (3, 5), compact)
    if latest:
        low_level(file, "implicit", (7, 5), early, (3, 2))
        low_level(file, "raw_edges", (20, 7), raw_edges, (10, 5))
    indices = {
        "chunks": ((7, 5), (3, 2), None),
        "many": ((40, 9), (2, 1), None),
    }
    if latest:
        indices |= {
            "single": ((7, 5), (7, 5), None),
            "paged": ((1100, 1), (1, 1), None),
            "larger": ((7, 5), (3, 2), (20, 8)),
            "extensible": ((7, 5), (3, 2), (None, 5)),
            "extensible_columns": ((5, 7), (2, 3), (5, None)),
            "extensible_many": ((300, 1), (1, 1), (None, 1)),
            "records": ((7, 5), (3, 2), (None, None)),
            "records_many": ((150, 3), (1, 3), (None, None)),
        }
    for name, (shape, chunks, most) in indices.items():
        options = {"chunks": chunks, "maxshape": most}
        add(file, name, shape, **options)
        add(file, name + "_gzip", shape, compression="gzip", **options)
        if shape[0] < 20 and name != "single":
            add_filled(file, name + "_filled", shape, compression="gzip", **options)
    for name, filters in FILTERS.items():
        add(file, "filter_" + name, (20, 20), chunks=(10, 20), **filters)
    add(file, "filter_scaleoffset", (20, 20), chunks=(10, 20), scaleoffset=3)


def add_links(file, counts):
    scalars = [file.create_dataset(f"scalars/{i}", data=np.float32(i)) for i in range(7)]
    for count in counts:
        group = file.create_group(f"links{count}")
        for i in range(count):
            group[f"n{i}"] = scalars[i % 7]
    file["soft/link"] = h5py.SoftLink("/scalars/0")


def add_attributes(file):
    for count in (3, 12):
        group = file.create_group(f"attributes{count}")
        for i in range(count):
            group.attrs[f"a{i}"] = f"text {i}"
        group.attrs["fixed"] = np.bytes_("fixed text")
        group.attrs["empty"] = ""
        group.attrs["number"] = 3
        group.attrs["long"] = np.bytes_("long" * 1500)
    file["type"] = np.dtype("<f4")
    file.create_dataset("of_named_type", data=values((3, 5)), dtype=file["type"])


def make_parts():
    links = {"earliest": (8, 9, 300), "latest": (8, 9), "earliest_ordered": (9,), "latest_ordered": (8, 9, 1200)}
    for name, counts in links.items():
        libver, _, order = name.partition("_")
        h5py.get_config().track_order = order != ""
        with h5py.File(HERE / f"{name}.h5", "w", libver=libver) as file:
            if not order:
                add_datasets(file)
            add_links(file, counts)
            add_attributes(file)
    h5py.get_config().track_order = False


def make_model():
    """Its weights are random, but the same each time."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6),
            layers.Conv2D(16, 1),
            layers.ReLU(6),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    for weight in model.weights:
        weight.assign(np.random.default_rng(weight.shape[0]).uniform(0.1, 1, weight.shape))
    return model


def copy_attributes(source, target):
    for name, value in source.attrs.items():
        target.attrs[name] = value


def repack(source, target, **options):
    """Copies a group into another, each dataset with the options where it has values to cut."""
    copy_attributes(source, target)
    for name, child in source.items():
        if isinstance(child, h5py.Group):
            repack(child, target.create_group(name), **options)
        else:
            chunked = options if child.shape else {}
            copy_attributes(child, target.create_dataset(name, data=child[()], **chunked))


def make_archive(model):
    """As Keras 3 saves a model in training, with its optimizer's state, but packed more tightly."""
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        saved, weights, packed = (f"{folder}/{name}" for name in ("m.keras", "w.h5", "p.h5"))
        model.save(saved)
        with zipfile.ZipFile(saved) as archive:
            config = archive.read("config.json")
            pathlib.Path(weights).write_bytes(archive.read("model.weights.h5"))
        with h5py.File(weights) as source, h5py.File(packed, "w", libver="latest") as target:
            repack(source, target, compression="gzip")
        with zipfile.ZipFile(HERE / "model_in_training.keras", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", config)
            archive.write(packed, "model.weights.h5")


def make_models():
    model = make_model()
    plain = HERE / "model.h5"
    model.save(plain)
    ways = {
        "latest": ("latest", False, {}),
        "latest_ordered": ("latest", True, {"compression": "gzip", "shuffle": True, "fletcher32": True}),
        "superblock2": ("v108", False, {"chunks": True}),
        "gzip": ("earliest", True, {"compression": "gzip", "shuffle": True}),
    }
    for name, (libver, order, options) in ways.items():
        h5py.get_config().track_order = order
        with h5py.File(plain) as source, h5py.File(HERE / f"model_{name}.h5", "w", libver=libver) as target:
            repack(source, target, **options)
    h5py.get_config().track_order = False
    make_archive(model)
    pixels = (np.arange(16 * 16 * 3) % 17 / 8 - 1).astype(np.float32).reshape(1, 16, 16, 3)
    logits = [float(x) for x in model.predict(pixels, verbose=0)[0]]
    (HERE / "model.json").write_text(json.dumps(logits) + "\n")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    make_parts()
    make_models()
