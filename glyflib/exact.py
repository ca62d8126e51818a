"""Denoisers that are known exactly: references for what a network should predict.

Invariant: for the data that its class names, each `predict_eps(xt, t)` is the mean of
eps given xt, the answer with the least squared error. Sums are in float64; results
come back in the dtype of xt.
"""

import math
from collections.abc import Iterator
from functools import partial
from typing import Self

import torch
from torch import Tensor

from glyflib.data import x0_from_images
from glyflib.schedule import check_noisy, eps_from_score, eps_from_x0, level

as_x0 = partial(x0_from_images, dtype=torch.float64)  # a chunk at a time: it is large


def as_rows(xt: Tensor, shape: torch.Size) -> Tensor:
    """Flatten xt (B, *shape) to (B, D) in float64; a ValueError for any other xt."""
    if not xt.ndim or xt.shape[1:] != shape or not xt.is_floating_point():
        wanted = ", ".join(["B", *map(str, shape)])
        raise ValueError(f"xt {tuple(xt.shape)} {xt.dtype} must be floats ({wanted})")
    return xt.reshape(len(xt), shape.numel()).double()


def check_data(data: Tensor, chunk_size: int) -> None:
    """Raise a ValueError unless data are (N, ...), uint8 or floating, not empty."""
    is_number = data.dtype == torch.uint8 or data.is_floating_point()
    if data.ndim < 2 or not data.numel() or not is_number:
        found = f"{tuple(data.shape)} {data.dtype}"
        raise ValueError(f"data {found} must be (N, ...) uint8 or floats, not empty")
    if chunk_size < 1:
        raise ValueError(f"chunk_size {chunk_size} must be at least 1")


def principal_axes(cov: Tensor) -> tuple[Tensor, Tensor]:
    """Split covariances (..., D, D) into variances (..., D) and axes, in columns.

    A variance within rounding of 0 becomes 0; a ValueError if one is negative.
    """
    if not cov.allclose(cov.mT):
        raise ValueError(f"covariance {tuple(cov.shape)} must be symmetric and finite")
    variances, axes = torch.linalg.eigh(cov.double())
    size = cov.shape[-1] * variances.abs().amax(-1, keepdim=True)
    if (variances < -size * torch.finfo(cov.dtype).eps).any():
        raise ValueError(f"covariance has a negative variance, {variances.min():g}")
    return variances.where(variances > size * torch.finfo(torch.float64).eps, 0), axes


class GaussianMixture:
    """K Gaussians in D dimensions and their weighted sum, at every noise level.

    With ab = alpha_bar[t], component k has mean sqrt(ab) m_k and covariance
    ab S_k + (1 - ab) I at level t (Bishop 2006, Eqs. 2.115 and 2.116, with the noise
    of Ho et al. 2020, Eq. 4), so the axes of S_k serve all levels.

    Methods take xt (B, D), floating, and levels t (B,) in [0, T]; they raise a
    ValueError if either does not fit.

    Args:
        weights: (K,) not negative; scaled to sum to 1.
        means: (K, D) floating m_k; samples have its dtype.
        covs: (K, D, D) positive definite S_k.
        alpha_bar: (T + 1,) schedule.

    Raises:
        ValueError: If shapes do not fit, or weights or covs are out of range.
    """

    def __init__(self, weights: Tensor, means: Tensor, covs: Tensor, alpha_bar: Tensor):
        shapes = [tuple(x.shape) for x in (weights, means, covs)]
        num, dim = means.shape if means.ndim == 2 else (0, 0)
        if shapes != [(num,), (num, dim), (num, dim, dim)]:
            raise ValueError(f"weights, means and covs do not fit: {shapes}")
        if (weights < 0).any() or not 0 < weights.sum() < math.inf:
            raise ValueError(f"weights {weights.tolist()} must be >= 0 and not all 0")
        self.variances, self.axes = principal_axes(covs)
        if not (self.variances > 0).all():
            raise ValueError(f"variance {self.variances.min():g} must be above 0")
        self.alpha_bar, self.means, self.dtype = alpha_bar, means.double(), means.dtype
        self.weights = weights.double() / weights.double().sum()

    @classmethod
    def isotropic(
        cls, weights: Tensor, means: Tensor, stds: Tensor, alpha_bar: Tensor
    ) -> Self:
        """The mixture whose components are round.

        Args:
            weights: (K,) not negative; scaled to sum to 1.
            means: (K, D) floating.
            stds: (K,) standard deviations in every direction, above 0.
            alpha_bar: (T + 1,) schedule.

        Raises:
            ValueError: If shapes do not fit, or weights or stds are out of range.
        """
        if not (stds > 0).all():
            raise ValueError(f"stds {stds.tolist()} must be above 0")
        eye = torch.eye(means.shape[-1], dtype=torch.float64, device=means.device)
        covs = stds.double().square().reshape(-1, 1, 1) * eye
        return cls(weights, means, covs, alpha_bar)

    def given(self, known: Tensor, mask: Tensor) -> Self:
        """The free coordinates where the others are known: a mixture again.

        Each Gaussian is conditioned on what is known, and its weight is multiplied by
        how likely it finds that.

        Args:
            known: (D,) clean data; only its known coordinates are read.
            mask: (D,) bool, true where a coordinate is known; F of them are not.

        Returns:
            The mixture of the F free coordinates, at every level.

        Raises:
            ValueError: If a shape does not fit, or all coordinates are known, or none.

        References:
            Bishop 2006, Eqs. 2.81 and 2.82.
        """
        shape = self.means.shape[1:]
        if known.shape != shape or mask.shape != shape or mask.dtype != torch.bool:
            found = f"{tuple(known.shape)} and {tuple(mask.shape)} {mask.dtype}"
            raise ValueError(f"known and mask {found} must be {tuple(shape)}, and bool")
        if mask.all() or not mask.any():
            raise ValueError(f"mask {mask.tolist()} must hold both, true and false")
        cov = self.axes * self.variances.unsqueeze(1) @ self.axes.mT
        away = known[mask].double() - self.means[:, mask]
        own, cross = cov[:, mask][:, :, mask], cov[:, ~mask][:, :, mask]
        gain = torch.linalg.solve(own, cross, left=False)
        means = self.means[:, ~mask] + torch.einsum("kfd,kd->kf", gain, away)
        covs = cov[:, ~mask][:, :, ~mask] - gain @ cross.mT
        pull = torch.linalg.solve(own, away)
        fit = -((away * pull).sum(1) + torch.logdet(own)) / 2
        weights = (self.weights.log() + fit).softmax(0)
        covs = (covs + covs.mT) / 2
        return type(self)(weights, means.to(self.dtype), covs, self.alpha_bar)

    def components(self, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What each component says of xt, for the other methods.

        Returns:
            log of weight times density (B, K); offset over variance (B, K, D), along
            each component's axes; ab (B, 1, 1). All float64.
        """
        x = as_rows(xt, self.means.shape[1:]).unsqueeze(1)
        a = level(self.alpha_bar, t, like=x)
        offset = torch.einsum("bkd,kde->bke", x - a.sqrt() * self.means, self.axes)
        var = a * self.variances + (1 - a)
        log_normal = -(offset.square() / var + var.log() + math.log(2 * math.pi)) / 2
        return self.weights.log() + log_normal.sum(2), offset / var, a

    def log_density(self, xt: Tensor, t: Tensor) -> Tensor:
        """Natural log of q(xt), (B,), the density of noisy data at levels t."""
        return self.components(xt, t)[0].logsumexp(1).to(xt.dtype)

    def density(self, xt: Tensor, t: Tensor) -> Tensor:
        """Density q(xt), (B,), at levels t; 0 where it is too small for a float."""
        return self.log_density(xt, t).exp()

    def responsibilities(self, xt: Tensor, t: Tensor) -> Tensor:
        """Probability (B, K) that xt at levels t came from each component.

        References:
            Bishop 2006, Eq. 9.13.
        """
        return self.components(xt, t)[0].softmax(1).to(xt.dtype)

    def score(self, xt: Tensor, t: Tensor) -> Tensor:
        """Gradient (B, D) of log q(xt) at levels t: each Gaussian's, weighted.

        The weights are the responsibilities.
        """
        log_joint, pull, _ = self.components(xt, t)
        pull = log_joint.softmax(1).unsqueeze(2) * pull
        return -torch.einsum("bke,kde->bd", pull, self.axes).to(xt.dtype)

    def denoise(self, xt: Tensor, t: Tensor) -> Tensor:
        """Posterior mean (B, D) of x0 given xt at levels t: each Gaussian's, weighted.

        The weights are the responsibilities.
        """
        log_joint, pull, a = self.components(xt, t)
        share = log_joint.softmax(1)
        gain = share.unsqueeze(2) * a.sqrt() * self.variances
        moved = torch.einsum("bke,kde->bd", gain * pull, self.axes)
        return (share @ self.means + moved).to(xt.dtype)

    def predict_eps(self, xt: Tensor, t: Tensor) -> Tensor:
        """Mean (B, D) of eps given xt at levels t; 0 at level 0."""
        score = self.score(as_rows(xt, self.means.shape[1:]), t)
        return eps_from_score(score, t, self.alpha_bar).to(xt.dtype)

    def sample(self, num_samples: int, *, generator: torch.Generator) -> Tensor:
        """Draw clean data (num_samples, D) with a CPU generator."""
        which = self.weights.cpu().multinomial(num_samples, True, generator=generator)
        shape = num_samples, self.means.shape[1]
        z = torch.randn(shape, generator=generator, dtype=torch.float64).to(self.means)
        x0, which = z * self.variances.sqrt()[which], which.to(z.device)
        for k, axes in enumerate(self.axes):
            x0[which == k] = self.means[k] + x0[which == k] @ axes.T
        return x0.to(self.dtype)


class IdealDenoiser:
    """The best denoiser of a finite data set: a weighted mean of its members.

    See Karras et al. 2022, appendix B.3. Memory grows with chunk_size, not N: data
    are widened a chunk at a time.

    Methods take xt (B, ...), floating, and levels t (B,) in [1, T]; they raise a
    ValueError if either does not fit.

    Args:
        data: (N, ...) uint8 images or floating x0.
        alpha_bar: (T + 1,) schedule.
        chunk_size: members in one matrix product; the answer does not depend on it.

    Raises:
        ValueError: If data are empty, of another dtype, or chunk_size is below 1.
    """

    def __init__(self, data: Tensor, alpha_bar: Tensor, *, chunk_size: int = 512):
        check_data(data, chunk_size)
        self.data, self.alpha_bar, self.chunk_size = data, alpha_bar, chunk_size

    def scored_chunks(self, xt: Tensor, t: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Members, a chunk at a time, and how likely each is given xt at levels t.

        Yields:
            n members (n, D) as x0, and logits (B, n): log-likelihoods less what is the
            same for all members. Float64: in float32, at level 1, rounding would move
            them by about 2 for 32x32 images.
        """
        check_noisy(t)
        xt = as_rows(xt, self.data.shape[1:])
        a = level(self.alpha_bar, t, like=xt)
        for chunk in self.data.flatten(1).split(self.chunk_size):
            x0 = as_x0(chunk.to(xt.device))
            pull = a.sqrt() * xt @ x0.T - a / 2 * x0.square().sum(1)
            yield x0, pull / (1 - a)

    def weights(self, xt: Tensor, t: Tensor) -> Tensor:
        """Probability (B, N), float64, of each member given xt at levels t."""
        logits = [logits for _, logits in self.scored_chunks(xt, t)]
        return torch.cat(logits, dim=1).softmax(1)

    def nearest(self, xt: Tensor, t: Tensor) -> Tensor:
        """Index (B,) of the likeliest member given xt at levels t.

        It is the one whose sqrt(ab) x0 lies nearest to xt.
        """
        return self.weights(xt, t).argmax(1)

    def mean_x0(self, xt: Tensor, t: Tensor) -> Tensor:
        """Posterior mean (B, D) of x0 given xt at levels t, float64, in one pass.

        References:
            Milakov and Gimelshein 2018, Algorithm 3, for the softmax in one pass.
        """
        top, total, mean = -math.inf, 0.0, 0.0
        for x0, logits in self.scored_chunks(xt, t):
            new_top = logits.amax(1, keepdim=True).clamp(min=top)
            keep, weights = (top - new_top).exp(), (logits - new_top).exp()
            total = keep * total + weights.sum(1, keepdim=True)
            mean, top = keep * mean + weights @ x0, new_top
        return mean / total

    def denoise(self, xt: Tensor, t: Tensor) -> Tensor:
        """Posterior mean (B, ...) of x0 given xt at levels t, in the dtype of xt."""
        return self.mean_x0(xt, t).reshape(xt.shape).to(xt.dtype)

    def predict_eps(self, xt: Tensor, t: Tensor) -> Tensor:
        """Mean (B, ...) of eps given xt at levels t, in the dtype of xt."""
        x0 = self.mean_x0(xt, t).reshape(xt.shape)
        return eps_from_x0(xt.to(x0), x0, t, self.alpha_bar).to(xt.dtype)


class WienerDenoiser:
    """The best linear denoiser, and the best of all if the data are one Gaussian.

    Along each principal axis it keeps the share of xt that is signal (Wiener 1949;
    Bishop 2006, Eq. 2.116).

    Methods take xt (B, ...), floating, and levels t (B,) in [0, T]; they raise a
    ValueError if either does not fit.

    Args:
        mean: (...) mean of the data, of D numbers in all.
        cov: (D, D) covariance; axes without variance are allowed.
        alpha_bar: (T + 1,) schedule.

    Raises:
        ValueError: If cov does not fit mean, is not symmetric, or is negative.
    """

    def __init__(self, mean: Tensor, cov: Tensor, alpha_bar: Tensor):
        if cov.shape != (mean.numel(), mean.numel()):
            raise ValueError(f"cov {tuple(cov.shape)} must fit mean {mean.shape}")
        self.mean, self.alpha_bar = mean.double(), alpha_bar
        self.variances, self.axes = principal_axes(cov)

    @classmethod
    def fit(cls, data: Tensor, alpha_bar: Tensor, *, chunk_size: int = 512) -> Self:
        """Take mean and covariance from data.

        Args:
            data: (N, ...) uint8 images or floating x0.
            alpha_bar: (T + 1,) schedule.
            chunk_size: rows in one matrix product; the answer does not depend on it.

        Raises:
            ValueError: If data are empty, of another dtype, or chunk_size is below 1.
        """
        check_data(data, chunk_size)
        chunks = data.flatten(1).split(chunk_size)
        mean = sum(as_x0(chunk).sum(0) for chunk in chunks) / len(data)
        offsets = (as_x0(chunk) - mean for chunk in chunks)
        cov = sum(offset.T @ offset for offset in offsets) / len(data)
        return cls(mean.reshape(data.shape[1:]), cov, alpha_bar)

    def filtered(self, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Means (B, D) of x0 and of eps given xt at levels t, float64.

        An axis without variance stays at its mean.
        """
        xt, mean = as_rows(xt, self.mean.shape), self.mean.flatten()
        a = level(self.alpha_bar, t, like=xt)
        offset, var = (xt - a.sqrt() * mean) @ self.axes, a * self.variances + (1 - a)
        pull = torch.where(var > 0, offset / var, 0)
        x0 = mean + a.sqrt() * (self.variances * pull) @ self.axes.T
        return x0, (1 - a).sqrt() * pull @ self.axes.T

    def denoise(self, xt: Tensor, t: Tensor) -> Tensor:
        """Posterior mean (B, ...) of x0 given xt at levels t, in the dtype of xt."""
        return self.filtered(xt, t)[0].reshape(xt.shape).to(xt.dtype)

    def predict_eps(self, xt: Tensor, t: Tensor) -> Tensor:
        """Mean (B, ...) of eps given xt at levels t, in its dtype; 0 at level 0."""
        return self.filtered(xt, t)[1].reshape(xt.shape).to(xt.dtype)

    def eps_loss(self, t: Tensor) -> Tensor:
        """Expected squared error (B,) of eps, per number of x0: the signal's share.

        True of any data of this mean and covariance: a bar that networks must clear.

        Args:
            t: (B,) integer noise levels in [1, T].

        Raises:
            ValueError: If t is out of range.
        """
        check_noisy(t)
        a = level(self.alpha_bar, t, like=self.variances.expand(len(t), -1))
        signal = a * self.variances
        return (signal / (signal + (1 - a))).mean(1)
