# SPDX-License-Identifier: MIT
"""A whole class: what was handed in, graded in parallel, kept in one store.

Layers, each unaware of those below it:

    model    an item of work, and what came of it; plain data both ways
    store    OUT/class.sqlite: what was handed in, every result, every attempt
    handin   submissions into OUT, frozen, each problem in a sentence
    plan     which items there are, their keys and seeds, and which are to be graded
    worker   grades items, one line of JSON each, and spools what came of them
    engine   who runs workers: local (a pool on this machine) or slurm (a cluster;
             slurm_queue asks it, site is its settings, node compares its nodes)
    run      the loop: plan, spool, store, progress
    marks    points, carry-over and late days to one mark
    regrade  before and after a mend of the grader
    results  pages, tables, feedback and similarity, all from the store

In OUT:

    class.sqlite                        the store
    spool/<item>.json                   outcomes that are not in the store yet
    slurm/<array>/<index>.*             what an element was given, and what it said
    submissions/<name>/src-<digest>/    the gap files that are graded, <stage>/<path>
    submissions/<name>/<run>/           one graded item: a verdict, its logs, its report
"""
