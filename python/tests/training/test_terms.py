"""Loss terms of one's own, and distillation without rotations."""

import gc
import threading

import numpy as np
import pytest
from bad_input import INF, NAN, assert_refused, assert_unchanged, snapshot

import skd


def entropy(rows, labels, views):
    """Return the mean entropy of the softmax of logits, with its gradient."""
    shifted = rows.astype(np.float64) - rows.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    entropies = -(p * np.log(p)).sum(axis=1, keepdims=True)
    return entropies.mean(), -p * (np.log(p) + entropies) / len(rows)


def squares(rows, labels, views):
    """Return half the mean square of the rows, with its gradient."""
    return 0.5 * float((rows**2).sum()) / len(rows), rows / np.float32(len(rows))


TRAINERS = {
    "Supervised": lambda model, **options: skd.Supervised(model, **options),
    "Gen0": lambda model, **options: skd.Gen0(model, **options),
    "Gen1": lambda model, **options: skd.Gen1(model, model.clone(), **options),
    "Distilled": lambda model, **options: skd.Distilled(model, model.clone(), **options),
}
VIEWS = {"Supervised": (0,), "Gen0": (0, 90, 180, 270), "Gen1": (0, 180), "Distilled": (0,)}


@pytest.mark.parametrize("name", TRAINERS)
def test_terms_join_the_total_with_their_weights_and_are_reported(make_model, batch, name):
    trainer = TRAINERS[name]
    alone = trainer(make_model(drop_rate=0)).loss(*batch)
    terms = [
        skd.Term("entropy", entropy, weight=-0.5),
        skd.Term("size", squares, on="embedding", weight=2.0),
    ]
    losses = trainer(make_model(drop_rate=0), terms=terms).loss(*batch)
    assert losses.terms.keys() == {"entropy", "size"}
    own = -0.5 * losses.terms["entropy"] + 2 * losses.terms["size"]
    assert losses.total == pytest.approx(alone.total + own, rel=1e-5)
    assert losses[1:] == alone[1:]
    assert len(losses) == 7
    assert alone.terms == {}


@pytest.mark.parametrize("name", TRAINERS)
def test_a_term_is_given_all_views_read_only(make_model, batch, name):
    seen = []

    def term(rows, labels, views):
        seen.append((rows.shape, rows.dtype, rows.flags.writeable, views))
        np.testing.assert_array_equal(labels, batch[1])
        return 0.0, np.zeros_like(rows)

    terms = [skd.Term("logits", term), skd.Term("features", term, on="embedding")]
    TRAINERS[name](make_model(), terms=terms).step(*batch)
    views = VIEWS[name]
    rows = 8 * len(views)
    assert seen == [((rows, 5), np.float32, False, views), ((rows, 16), np.float32, False, views)]


@pytest.mark.parametrize(("function", "on"), [(entropy, "logits"), (squares, "embedding")])
def test_gradients_with_a_term_agree_with_finite_differences(make_model, batch, function, on):
    model = make_model(drop_rate=0)
    trainer = skd.Supervised(model, terms=[skd.Term("own", function, on=on, weight=1.5)])
    trainer.loss(*batch)
    name = "layer4.0.bn3.weight"
    gradient = trainer.gradients()[name].astype(np.float64)
    state = snapshot(model)
    direction = gradient / np.linalg.norm(gradient)
    totals = []
    for step in (1e-2, -1e-2):
        model.load_state_dict({**state, name: state[name] + step * direction})
        totals.append(trainer.loss(*batch).total)
    # The total is float32 and the step not small: 2 % covers both.
    measured = (totals[0] - totals[1]) / 2e-2
    assert measured == pytest.approx(np.linalg.norm(gradient), rel=2e-2)


def test_a_term_alone_moves_what_it_reads(make_model, batch):
    model = make_model(drop_rate=0)
    optimizer = skd.SGD(lr=0.02, weight_decay=0)
    trainer = skd.Distilled(
        model,
        model.clone(),
        alpha=0,
        beta=0,
        optimizer=optimizer,
        terms=[skd.Term("size", squares, on="embedding")],
    )
    before = snapshot(model)
    first = trainer.step(*batch)
    for _ in range(5):
        last = trainer.step(*batch)
    assert first.total == pytest.approx(first.terms["size"])
    assert last.terms["size"] < first.terms["size"]
    np.testing.assert_array_equal(model.state_dict()["classifier.bias"], before["classifier.bias"])
    assert not np.array_equal(
        model.state_dict()["layer4.0.bn3.weight"], before["layer4.0.bn3.weight"]
    )


def test_rows_may_be_kept_and_gradients_are_not_copied(make_model, batch):
    gradient = np.zeros((8, 5), dtype=np.float32)
    kept = []

    def term(rows, labels, views):
        kept.append((rows, rows.copy()))
        return 0.0, gradient

    own = skd.Term("own", term)
    assert own.evaluate(gradient, None, (0,))[1] is gradient
    kept.clear()
    trainer = skd.Supervised(make_model(), terms=[own])
    for _ in range(3):
        trainer.step(*batch)
    del trainer
    gc.collect()
    for rows, then in kept:
        np.testing.assert_array_equal(rows, then)
    assert not np.array_equal(kept[0][1], kept[1][1])


@pytest.mark.parametrize("error", [KeyError("own"), KeyboardInterrupt(), StopIteration()])
def test_an_exception_of_a_term_ends_the_step_and_changes_nothing(make_model, batch, error):
    model = make_model()

    def term(rows, labels, views):
        raise error

    trainer = skd.Gen0(model, terms=[skd.Term("own", term)])
    before = snapshot(model)
    with pytest.raises(type(error)) as caught:
        trainer.step(*batch)
    assert caught.value is error
    assert_unchanged(model, before)
    assert trainer.steps_taken == 0
    model.embed(batch[0])  # the lock is free again


@pytest.mark.parametrize(
    ("value", "entry", "named"),
    [
        (NAN, 0.0, "term 'own'"),
        (INF, 0.0, "term 'own'"),
        (0.0, NAN, "gradient of term 'own'"),
        (1e300, 0.0, "loss with its terms"),
    ],
)
def test_a_term_that_is_not_finite_is_named_and_changes_nothing(
    make_model, batch, value, entry, named
):
    model = make_model()
    term = skd.Term("own", lambda rows, labels, views: (value, np.full_like(rows, entry)))
    trainer = skd.Supervised(model, terms=[term])
    before = snapshot(model)
    with pytest.raises(skd.NonFiniteLossError, match=named) as caught:
        trainer.step(*batch)
    assert caught.value.step == 1
    assert caught.value.terms["own"] == pytest.approx(value, nan_ok=True)
    assert_unchanged(model, before)


@pytest.mark.parametrize(
    ("error", "named", "result"),
    [
        (TypeError, "(value, gradient)", lambda rows: 1.0),
        (TypeError, "(value, gradient)", lambda rows: None),
        (TypeError, "'value' parameter of the function of term 'own'", lambda rows: ("a", rows)),
        (TypeError, "'gradient' parameter", lambda rows: (1.0, "text")),
        (ValueError, "of shape (8, 5)", lambda rows: (1.0, rows[:-1])),
        (ValueError, "of shape (8, 5)", lambda rows: (1.0, rows.T)),
    ],
)
def test_wrong_results_of_a_term_are_refused(make_model, batch, error, named, result):
    model = make_model()
    trainer = skd.Supervised(
        model, terms=[skd.Term("own", lambda rows, labels, views: result(rows))]
    )
    before = snapshot(model)
    assert_refused(error, named, lambda: trainer.step(*batch))
    assert_unchanged(model, before)


@pytest.mark.parametrize(
    "convert", [np.float64, np.float16, np.asfortranarray, lambda rows: rows.tolist()]
)
def test_gradients_of_other_types_and_layouts_are_taken(make_model, batch, convert):
    results = []
    for change in (np.array, convert):
        trainer = skd.Supervised(
            make_model(drop_rate=0),
            terms=[
                skd.Term("own", lambda rows, labels, views, c=change: (0, c(np.ones_like(rows))))
            ],
        )
        trainer.loss(*batch)
        results.append(trainer.gradients()["classifier.weight"].copy())
    np.testing.assert_array_equal(*results)


def test_a_term_of_gen1_without_labels_is_given_none(make_model, batch):
    seen = []

    def term(rows, labels, views):
        seen.append(labels)
        return 0.0, np.zeros_like(rows)

    model = make_model()
    skd.Gen1(model, model.clone(), terms=[skd.Term("own", term)]).step(batch[0], None)
    assert seen == [None]


def test_wrong_terms_are_refused(make_model):
    model = make_model()
    term = skd.Term("own", squares)
    for error, named, call in [
        (TypeError, "'name' parameter of Term", lambda: skd.Term("", squares)),
        (TypeError, "'name' parameter of Term", lambda: skd.Term(1, squares)),
        (TypeError, "'function' parameter of Term", lambda: skd.Term("own", 3)),
        (ValueError, "'on' parameter of Term", lambda: skd.Term("own", squares, on="images")),
        (ValueError, "'weight' parameter of Term", lambda: skd.Term("own", squares, weight=NAN)),
        (ValueError, "'weight' parameter of Term", lambda: skd.Term("own", squares, weight=1e39)),
        (TypeError, "'terms' parameter of Gen0", lambda: skd.Gen0(model, terms=term)),
        (TypeError, "'terms' parameter of Gen0", lambda: skd.Gen0(model, terms=[squares])),
        (ValueError, "different names", lambda: skd.Gen0(model, terms=[term, term])),
    ]:
        assert_refused(error, named, call)


def test_a_term_may_use_other_models_but_not_its_own(make_model, batch):
    model, other = make_model(), make_model(seed=1)
    refusals = []

    def term(rows, labels, views):
        other.embed(batch[0])
        skd.Supervised(other).step(*batch)
        for call in (
            lambda: model.embed(batch[0]),
            lambda: model.clone(),
            lambda: trainer.step(*batch),
            lambda: trainer.steps_taken,
            lambda: skd.Gen1(other, model).step(*batch),
        ):
            with pytest.raises(ValueError, match="the training step around this call uses"):
                call()
            refusals.append(call)
        return 0.0, np.zeros_like(rows)

    trainer = skd.Supervised(model, terms=[skd.Term("own", term)])
    trainer.step(*batch)
    assert len(refusals) == 5
    assert trainer.steps_taken == 1


def test_terms_that_wait_for_each_others_models_do_not_hang(make_model, batch):
    first, second = make_model(), make_model(seed=1)
    both = threading.Barrier(2)
    outcomes = []

    def train(own, other):
        def term(rows, labels, views):
            both.wait()
            other.embed(batch[0])
            return 0.0, np.zeros_like(rows)

        try:
            skd.Supervised(own, terms=[skd.Term("own", term)]).step(*batch)
            outcomes.append("trained")
        except ValueError:
            outcomes.append("refused")

    threads = [threading.Thread(target=train, args=pair) for pair in ((first, second),)]
    threads.append(threading.Thread(target=train, args=(second, first)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["refused", "trained"], ["refused", "refused"])


def test_fit_reports_the_means_of_the_terms(make_model, make_split):
    calls = []

    def term(rows, labels, views):
        calls.append(len(calls) + 1.0)
        return calls[-1], np.zeros_like(rows)

    trainer = skd.Supervised(make_model(), terms=[skd.Term("own", term)])
    history = trainer.fit(make_split(), epochs=2, batch_size=25, progress=False)
    assert [record.losses.terms for record in history] == [{"own": 2.5}, {"own": 6.5}]


def test_a_resumed_fit_keeps_the_terms_of_its_records(make_model, make_split, tmp_path):
    split = make_split()
    options = {"batch_size": 50, "progress": False, "checkpoint_dir": tmp_path}

    def history(epochs, weight, resume):
        terms = [skd.Term("size", squares, weight=weight)]
        trainer = skd.Supervised(make_model(), terms=terms)
        return trainer.fit(split, epochs=epochs, resume=resume, **options)

    first = history(1, 0.1, False)
    assert history(2, 0.1, True)[0].losses.terms == first[0].losses.terms != {}
    with pytest.raises(ValueError, match="term size"):
        history(3, 0.2, True)


def test_distilled_weighs_labels_and_teacher(make_model, batch):
    teacher = make_model(seed=1)
    losses = skd.Distilled(make_model(), teacher, alpha=0.25, beta=2.0, temperature=3).loss(*batch)
    expected = 0.25 * losses.cross_entropy + 2 * losses.distillation
    assert losses.total == pytest.approx(expected, rel=1e-6)
    assert losses.rotation == losses.twin == losses.rotation_accuracy == 0
    assert 0 <= losses.accuracy <= 1


def test_distilled_changes_the_student_only(make_model, batch):
    student, teacher = make_model(drop_rate=0), make_model(seed=1)
    before = snapshot(teacher)
    trainer = skd.Distilled(student, teacher, optimizer=skd.SGD(lr=0.01))
    first = trainer.step(*batch).total
    for _ in range(5):
        last = trainer.step(*batch).total
    assert last < first
    assert_unchanged(teacher, before)


def test_wrong_options_of_distilled_are_refused(make_model, batch):
    student, teacher = make_model(), make_model(seed=1)
    for error, named, call in [
        (ValueError, "'teacher' parameter", lambda: skd.Distilled(student, student)),
        (TypeError, "'teacher' parameter", lambda: skd.Distilled(student, None)),
        (
            ValueError,
            "'teacher' parameter of Distilled",
            lambda: skd.Distilled(student, make_model(num_classes=4)),
        ),
        (ValueError, "'alpha' parameter", lambda: skd.Distilled(student, teacher, alpha=-1)),
        (ValueError, "'beta' parameter", lambda: skd.Distilled(student, teacher, beta=NAN)),
        (
            ValueError,
            "'temperature' parameter",
            lambda: skd.Distilled(student, teacher, temperature=0),
        ),
        (TypeError, "'labels'", lambda: skd.Distilled(student, teacher).step(batch[0], None)),
    ]:
        assert_refused(error, named, call)
