"""What skops is to trust in order to load our classifiers. Imports nothing of ours."""

#: Types that `skops.io.load` is to trust, by their full names, for any fitted classifier of ours: these, those of the
#: engines and of scikit-learn inside them that skops does not trust by itself. What is not of ours is not among them:
#: a sampler, a scorer, other steps of a pipeline.
skops_trusted_types = (
    "collections.OrderedDict",
    "functools.partial",  # around check_array, where HistGradientBoosting encodes categories
    "lightgbm.basic.Booster",
    "skfocal.boosting.link.Link",
    "skfocal.boosting.link.Resampled",
    "skfocal.hist_gradient_boosting.classifier.FocalHistGradientBoostingClassifier",
    "skfocal.hist_gradient_boosting.training.EngineLoss",
    "skfocal.lightgbm.classifier.FocalLGBMClassifier",
    "skfocal.losses.binary.BinaryFocalLoss",
    "skfocal.losses.multiclass.MulticlassFocalLoss",
    "skfocal.losses.multilabel.MultilabelFocalLoss",
    "skfocal.neural_network.classifier.FocalMLPClassifier",
    "skfocal.objectives.FocalObjective",
    "skfocal.thresholds.classifiers.AlertBudgetClassifier",
    "skfocal.thresholds.classifiers.CostThresholdClassifier",
    "skfocal.xgboost.classifier.FocalXGBClassifier",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils.validation.check_array",
    "xgboost.core.Booster",
)
