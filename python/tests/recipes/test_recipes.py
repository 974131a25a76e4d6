"""Recipes: the shipped ones say what was published, and a wrong one is refused by its key."""

from pathlib import Path

import pytest

import skd
import skd.recipes as recipes

FOLDER = Path(__file__).parents[3] / "recipes"
PUBLISHED = ("mini-imagenet", "tiered-imagenet", "cifar-fs", "fc100")


def test_the_package_brings_the_files_of_the_repository():
    assert set(recipes.names()) == {path.stem for path in FOLDER.glob("*.toml")}
    rows = ("rfs-simple", "rfs-distill", "gen0", "gen1")
    cells = {f"{row}-{data}" for row in rows for data in (*PUBLISHED, "glyphs")}
    cells |= {f"gen1-{data}-official" for data in PUBLISHED}
    cells |= {f"{row}-{data}-mini" for row in rows for data in PUBLISHED}
    fast = ("rfs-simple", "gen0", "gen1")
    cells |= {f"{row}-{data}-fast" for row in fast for data in ("cifar-fs", "fc100")}
    cells |= {f"{row}-glyphs-quick" for row in ("rfs-simple", "gen0", "gen1")}
    assert set(recipes.names()) == cells | set(skd.list_pretrained())


@pytest.mark.parametrize(
    ("name", "lr", "epochs", "decay"),
    [
        ("rfs-simple-mini-imagenet", 0.05, 100, (60, 80)),
        ("rfs-simple-cifar-fs", 0.05, 90, (45, 60, 75)),
        ("rfs-simple-fc100", 0.05, 90, (45, 60, 75)),
        ("rfs-simple-tiered-imagenet", 0.05, 60, (30, 40, 50)),
        ("rfs-distill-mini-imagenet", 0.05, 100, (60, 80)),
        ("gen0-mini-imagenet", 0.05, 65, (60,)),
        ("gen0-cifar-fs", 0.05, 65, (60,)),
        ("gen0-fc100", 0.05, 65, (60,)),
        ("gen0-tiered-imagenet", 0.05, 60, (30, 40, 50)),
        ("gen1-mini-imagenet", 0.001, 8, (5,)),
        ("gen1-cifar-fs", 0.001, 8, (5,)),
        ("gen1-cifar-fs-official", 0.001, 65, (60,)),
        ("gen1-fc100-official", 0.001, 8, (3,)),
        ("gen1-mini-imagenet-official", 0.001, 8, (5,)),
    ],
)
def test_the_schedules_are_the_published_ones(name, lr, epochs, decay):
    recipe = recipes.load(name)
    assert recipe.optimizer == recipes.Optimizer(lr=lr, momentum=0.9, weight_decay=5e-4)
    assert (recipe.schedule.epochs, recipe.schedule.decay_epochs) == (epochs, decay)
    assert (recipe.schedule.batch_size, recipe.schedule.decay_factor) == (64, 0.1)
    assert (recipe.data.augmentation, recipe.data.flip) == ("full", True)
    rfs = name.startswith("rfs")
    assert recipe.evaluation.support_augmentation == ("full" if rfs else "crop_flip")
    assert recipe.evaluation.n_episodes == 600


def test_the_losses_are_the_published_ones():
    assert recipes.load("gen0-fc100").loss == recipes.Gen0Loss(alpha=2.0)
    assert recipes.load("rfs-distill-fc100").loss == recipes.DistilledLoss(
        alpha=0.5, beta=0.5, temperature=4.0
    )
    for name in PUBLISHED:
        paper = recipes.load(f"gen1-{name}").loss
        assert paper == recipes.Gen1Loss(beta=0.1, temperature=4.0, twin_rotations=(180,))
        official = recipes.load(f"gen1-{name}-official").loss
        assert (official.temperature, official.bn_views) == (2.0, "all")
    betas = {"cifar-fs": 0.1 / 3, "fc100": 0.2 / 3, "mini-imagenet": 0.05 / 3}
    for name, beta in betas.items():
        assert recipes.load(f"gen1-{name}-official").loss.beta == pytest.approx(beta, rel=1e-15)


def test_the_expected_accuracies_are_those_of_the_papers_table():
    expected = recipes.load("gen1-cifar-fs").expected
    assert expected.one_shot == (76.9, 0.9)
    assert expected.of(5) == (88.9, 0.6)
    assert expected.of(3) is None
    assert recipes.load("gen0-tiered-imagenet").expected.five_shot == (86.66, 0.60)
    # A short run of a narrow network has nothing to be compared with.
    assert recipes.load("gen0-tiered-imagenet-mini").expected is None


@pytest.mark.parametrize(
    ("change", "nearest"),
    [
        ("schedule.epoch=3", "schedule.epochs"),
        ("epochs=3", "schedule.epochs"),
        ("lr=3", "optimizer.lr"),
        ("model.width=[3]", "model.widths"),
        ("optimiser.lr=3", "optimizer.lr"),
        ("loss.alpha=2", "loss.beta"),
        ("teacher.recip='x'", "teacher.recipe"),
        ("titel='x'", "title"),
    ],
)
def test_an_unknown_key_is_refused_with_a_similar_one(change, nearest):
    key = change.partition("=")[0]
    with pytest.raises(ValueError, match=r"must be a known key") as caught:
        recipes.load("gen1-cifar-fs", changes=[change])
    table = key.partition(".")[0] if key.startswith("optimiser") else key
    assert f"The '{table}' parameter of recipe 'gen1-cifar-fs'" in str(caught.value)
    assert f"did you mean {nearest.partition('.')[0]!r}?" in str(caught.value) or (
        f"did you mean {nearest!r}?" in str(caught.value)
    )


def test_a_key_that_is_like_none_brings_no_suggestion():
    with pytest.raises(ValueError, match=r"known key \('skd recipes show' prints") as caught:
        recipes.load("gen1-cifar-fs", changes=["quux.zzz=1"])
    assert "did you mean" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"There is no recipe 'quux'\. 'skd recipes list'"):
        recipes.load("quux")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("schedule.epochs=0", "'schedule.epochs' .* at least 1; got 0"),
        ("schedule.epochs=true", "'schedule.epochs' .* a number; got true"),
        ("schedule.epochs='9'", "'schedule.epochs' .* an integer; got '9'"),
        ("schedule.decay_epochs=5", "'schedule.decay_epochs' .* a sequence of integers"),
        ("schedule.kind=linear", "one of 'step', 'cosine', 'one_cycle'; got 'linear'"),
        ("optimizer.lr=-1", "'optimizer.lr' .* finite and >= 0"),
        ("optimizer.lr=nan", "'optimizer.lr' .* finite and >= 0"),
        ("optimizer.momentum=1", "'optimizer.momentum' .* < 1"),
        ("data.name=imagenet", "'data.name' .* one of"),
        ("data.flip=1", "'data.flip' .* true or false; got 1"),
        ("data=3", "'data' .* a table; got 3"),
        ("loss.twin_rotations=[]", "'loss.twin_rotations' .* at least one"),
        ("loss.temperature=0", "'loss.temperature' .* > 0"),
        ("teacher.checkpoint=x", "'teacher' .* one of teacher.recipe and teacher.checkpoint"),
        ("teacher.generations=2", "'teacher.generations' .* 1 for this stage"),
        ("teacher.loss=2", "'teacher.loss' .* a table"),
        ("evaluation.n_shots=[1,1]", "'evaluation.n_shots' .* different integers"),
        ("evaluation.classifier=svm", "'evaluation.classifier' .* one of"),
        ("expected.one_shot=[1]", "'expected.one_shot' .* two numbers"),
        ("stage=gen2", "'stage' .* one of"),
        ("seed=-1", "'seed' .* at least 0"),
        ("name=../x", "'name' .* the name of a folder"),
        ("data.name=folder", "'data.image_size' .* given for data of your own"),
        ("data.image_size=84", "'data.image_size' .* only there"),
        ("model.widths", "'changes' .* 'TABLE.KEY=VALUE'; got 'model.widths'"),
        ("=3", "'changes' .* 'TABLE.KEY=VALUE'"),
        ("seed.x=3", "'changes' .* of a key"),
    ],
)
def test_an_illegal_value_is_refused_by_its_key(change, message):
    with pytest.raises(ValueError, match=message):
        recipes.load("gen1-cifar-fs", changes=[change])


def test_changes_are_written_as_in_toml_and_texts_without_quotes_too():
    changes = ["model.widths=[8, 16, 24, 32]", "data.root=my data/cifar", "data.flip=false"]
    recipe = recipes.load("gen0-cifar-fs", changes=changes)
    assert recipe.model.widths == (8, 16, 24, 32)
    assert recipe.data.root == "my data/cifar"
    assert recipe.data.flip is False
    trick = recipes.load("gen0-cifar-fs", changes=["title=1\nseed=2"])
    assert (trick.title, trick.seed) == ("1\nseed=2", 0)


def test_own_recipes_are_files_that_may_extend_others(tmp_path):
    (tmp_path / "base.toml").write_text('extends = "gen0-fc100"\n[schedule]\nepochs = 3\n')
    own = tmp_path / "own.toml"
    own.write_text('extends = "base.toml"\n[loss]\nalpha = 1.0\n')
    recipe = recipes.load(own)
    assert (recipe.name, recipe.stage, recipe.expected) == ("own", "gen0", None)
    assert (recipe.schedule.epochs, recipe.schedule.decay_epochs) == (3, (60,))
    assert recipe.loss.alpha == 1.0
    own.write_text('extends = "own.toml"\n')
    with pytest.raises(ValueError, match="files in a row"):
        recipes.load(own)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("stage = ", "a TOML document"),
        ("\xff", "a TOML document"),
        ("title = 'x'", "'stage' .* given"),
        ("stage = 'gen0'", "'data.name' .* given"),
        ("stage = 'gen1'\n[data]\nname='fc100'\n[schedule]\nepochs=1", "'teacher' .* given"),
        ("extends = 3", "'extends' .* a text"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path, content, message):
    path = tmp_path / "own.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        recipes.load(path)


def test_a_recipe_that_is_not_there_is_named_with_a_similar_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"did you mean 'gen0-cifar-fs'\?"):
        recipes.load("gen0-cifarfs")
    with pytest.raises(FileNotFoundError, match=r"There is no recipe '.*none\.toml'"):
        recipes.load(tmp_path / "none.toml")
