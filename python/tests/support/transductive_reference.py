"""Transductive heads in NumPy, from the formulas of their papers.

Each function takes support features, their classes in 0..n_way - 1 and query features in float64.
It returns the scores of the queries and the objective, or None for a head without one.
"""

import numpy as np


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def one_hot(labels):
    return np.eye(labels.max() + 1)[labels]


def class_means(support, labels):
    return np.stack([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])


def squared_distances(rows, points):
    return ((rows[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)


def cosines(rows, points):
    return unit(rows) @ unit(points).T


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def simple_shot(support, labels, query):
    mean = np.concatenate([support, query]).mean(axis=0)
    means = class_means(unit(support - mean), labels)
    return -squared_distances(unit(query - mean), means), None


def bd_cspn(support, labels, query, scale=10.0, n_pseudo_labels=8):
    support, query = unit(support), unit(query)
    query = query + support.mean(axis=0) - query.mean(axis=0)
    basic = class_means(support, labels)
    probabilities = softmax(scale * cosines(query, basic))
    pseudo = probabilities.argmax(axis=1)
    rectified = []
    for k in range(len(basic)):
        candidates = np.flatnonzero(pseudo == k)
        order = np.argsort(-probabilities[candidates, k], kind="stable")
        members = np.concatenate([support[labels == k], query[candidates[order[:n_pseudo_labels]]]])
        weights = softmax(scale * cosines(members, basic))[:, k]
        rectified.append((weights[:, None] * members).mean(axis=0))
    return cosines(query, np.stack(rectified)), None


def laplacian_shot(
    support, labels, query, laplacian_weight=0.5, n_neighbors=3, center=True, rectify=True,
    scale=10.0, max_iter=20,
):  # fmt: skip
    mean = np.concatenate([support, query]).mean(axis=0) if center else 0
    support, query = unit(support - mean), unit(query - mean)
    means = class_means(support, labels)
    if rectify:
        query = query + support.mean(axis=0) - query.mean(axis=0)
        pseudo = cosines(query, means).argmax(axis=1)
        members = np.concatenate([support, query])
        belongs = one_hot(np.concatenate([labels, pseudo]))
        weights = softmax(scale * cosines(members, means)) * belongs
        means = weights.T @ members / belongs.sum(axis=0)[:, None]
    distances = squared_distances(query, means)
    between = squared_distances(query, query)
    np.fill_diagonal(between, np.inf)
    nearest = np.argsort(between, axis=1, kind="stable")[:, : min(n_neighbors, len(query) - 1)]
    affinity = np.zeros_like(between)
    np.put_along_axis(affinity, nearest, 1.0, axis=1)
    assignment, last = softmax(-distances), np.inf
    for iteration in range(max_iter):
        assignment = softmax(-distances + laplacian_weight * affinity @ assignment)
        entropy = (assignment * np.log(np.maximum(assignment, 1e-300))).sum()
        pairs = (assignment * (affinity @ assignment)).sum()
        energy = entropy + (assignment * distances).sum() - laplacian_weight * pairs
        if iteration > 1 and abs(energy - last) <= 1e-6 * abs(last):
            break
        last = energy
    return assignment, energy


def tim_loss(weights, support, labels, query, temperature, factors, alpha=None):
    """Return the loss of TIM, or of alpha-TIM if `alpha` is given, and its gradient."""
    ce_weight, marginal_weight, conditional_weight = factors
    rows = np.concatenate([support, query])
    p = softmax(-0.5 * temperature * squared_distances(rows, weights))
    p_support, p_query = p[: len(support)], p[len(support) :]
    mean = p_query.mean(axis=0)
    cross_entropy = -np.log(p_support[np.arange(len(labels)), labels]).mean()
    if alpha is None:
        conditional = -(p_query * np.log(p_query)).sum(axis=1).mean()
        marginal = -(mean * np.log(mean)).sum()
        d_conditional, d_marginal = -np.log(p_query) - 1, -np.log(mean) - 1
    else:
        conditional = ((1 - (p_query**alpha).sum(axis=1)) / (alpha - 1)).mean()
        marginal = (1 - (mean**alpha).sum()) / (alpha - 1)
        d_conditional = -alpha * p_query ** (alpha - 1) / (alpha - 1)
        d_marginal = -alpha * mean ** (alpha - 1) / (alpha - 1)
    loss = ce_weight * cross_entropy - (
        marginal_weight * marginal - conditional_weight * conditional
    )
    d_p = (conditional_weight * d_conditional - marginal_weight * d_marginal) / len(query)
    d_query = p_query * (d_p - (p_query * d_p).sum(axis=1, keepdims=True))
    d_support = ce_weight * (p_support - one_hot(labels)) / len(support)
    d_logits = np.concatenate([d_support, d_query])
    gradient = temperature * (d_logits.T @ rows - d_logits.sum(axis=0)[:, None] * weights)
    return loss, gradient


def tim(
    support, labels, query, temperature=15.0, cross_entropy_weight=0.1, marginal_entropy_weight=1.0,
    conditional_entropy_weight=0.1, learning_rate=1e-4, n_steps=1000, alpha=None,
):  # fmt: skip
    support, query = unit(support), unit(query)
    factors = (cross_entropy_weight, marginal_entropy_weight, conditional_entropy_weight)
    weights = class_means(support, labels)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, n_steps + 1):
        _, gradient = tim_loss(weights, support, labels, query, temperature, factors, alpha)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        root = np.sqrt(second / (1 - 0.999**step))
        weights = weights - learning_rate * first / (1 - 0.9**step) / (root + 1e-8)
    loss, _ = tim_loss(weights, support, labels, query, temperature, factors, alpha)
    return softmax(-0.5 * temperature * squared_distances(query, weights)), loss


def alpha_tim(support, labels, query, alpha=2.0, **options):
    weights = dict.fromkeys(
        ("cross_entropy_weight", "marginal_entropy_weight", "conditional_entropy_weight"), 1.0
    )
    return tim(support, labels, query, alpha=alpha, **(weights | options))


def sinkhorn(distances, scale, mass, tolerance=1e-6, max_iter=1000):
    plan = np.exp(-scale * distances)
    plan /= plan.sum()
    sums = np.zeros(len(plan))
    for _ in range(max_iter):
        if np.abs(sums - plan.sum(axis=1)).max() <= tolerance:
            break
        sums = plan.sum(axis=1)
        plan /= sums[:, None]
        plan *= mass / plan.sum(axis=0)
    return plan


def pt_map(support, labels, query, power=0.5, scale=10.0, learning_rate=0.2, n_steps=20):
    support, query = (unit((np.maximum(rows, 0) + 1e-6) ** power) for rows in (support, query))
    support, query = (unit(rows - rows.mean(axis=0)) for rows in (support, query))
    belongs = one_hot(labels)
    centers, rows = class_means(support, labels), np.concatenate([support, query])
    mass = len(query) / len(centers)
    for step in range(n_steps + 1):
        distances = squared_distances(query, centers)
        plan = sinkhorn(distances, scale, mass)
        if step < n_steps:
            shares = np.concatenate([belongs, plan])
            estimate = shares.T @ rows / shares.sum(axis=0)[:, None]
            centers = centers + learning_rate * (estimate - centers)
    return plan, (plan * distances).sum()
