"""Asymmetric dual self-distillation: pre-training without labels."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.layers import PatchGrouper, at_least_float32, patch_masks, take_patches, unit_sphere
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import Crops, PointDataSample

_CHUNK = 2048  # rows of predicted patches whose scores are in memory at a time
_WITH = dict(cls='koleo', patch='regression')  # what may go with a loss


class StudentViews(NamedTuple):
    """What the student made of a batch of B clouds with C global crops of P patches.

    Attributes:
        patches: (B * C, P, K, 3), of the global crops, which the teacher sees whole.
        centres: (B * C, P, 3).
        mask: (B * C * M, P) bool, True where hidden, or None.
        embeddings: Class tokens before the head by kind of view: ``unmasked`` (B, U, D), ``masked``
            (B, C * M, D), ``local`` (B, L, D).
        predicted: (B * C * M, Q, D) predicted embeddings of the hidden patches, or None.
    """

    patches: Tensor
    centres: Tensor
    mask: Tensor | None
    embeddings: dict[str, Tensor]
    predicted: Tensor | None


class TeacherViews(NamedTuple):
    """What the teacher made of the global crops.

    Attributes:
        cls_logits: (B, C, Z), or None.
        patch_logits: (B * C, P, Z), or None.
        patch_embeddings: (B * C, P, D) before the head.
    """

    cls_logits: Tensor | None
    patch_logits: Tensor | None
    patch_embeddings: Tensor


class Step(NamedTuple):
    """One step, seen from outside.

    Attributes:
        total: What training minimises: the weighted terms, divided by the sum of the weights.
        terms: Each term without its weight.
        student: Raw outputs by name: ``cls_unmasked``, ``cls_masked``, ``cls_local`` scores (B, V,
            Z), ``patch`` scores (B * C * M, Q, Z), ``predicted`` (B * C * M, Q, D).
        teacher: The teacher's, not centred.
        centres: The centres after the step by loss.
    """

    total: Tensor
    terms: dict[str, Tensor]
    student: dict[str, Tensor]
    teacher: TeacherViews
    centres: dict[str, Tensor]


@DISTILLERS.register_module()
class AsymDSD(Distiller):
    """Asymmetric dual self-distillation (Leijenaar and Kasaei, NeurIPS 2025, arXiv 2506.21724).

    The teacher, an average of the student's past weights, sees whole global crops. The student sees
    masked ones, local ones, and the first global one whole, and learns to give the teacher's
    posteriors over prototypes: of the class token across views, and of each hidden patch, which a
    predictor that looks at visible patches only tells. The student's parts decide the mode:

    ======================  ===========  ==========  =========================================
    Mode                    class token  predictor   losses
    ======================  ===========  ==========  =========================================
    AsymDSD                 yes          yes         ``cls``, ``patch``, ``koleo``
    AsymSD-CLS              yes          no          ``cls``, ``koleo``
    AsymSD-MPM              no           yes         ``patch``, ``regression``
    ======================  ===========  ==========  =========================================

    ``koleo`` and ``regression`` may be left out. Terms are divided by the sum of all weights, as in
    the authors' code. ``cls`` is the mean over kinds of views: local ones and masked ones against
    every global crop of the teacher (the same crop included), and the first crop, seen whole,
    against the teacher's others; in AsymSD-CLS all global crops, seen whole, against all.

    ``inputs`` holds ``global_crops`` (B, C, N, 3) and, if there are local ones, ``local_crops`` (B,
    L, n, 3), as :class:`MultiCrop` makes them. Each crop is moved to its mean and scaled into the
    unit sphere; patches are searched on the model's device. Labels are not looked at.

    Logged: ``stat_cls_entropy``, ``stat_patch_entropy`` (mean entropy of the teacher's posteriors)
    and ``stat_cls_spread``, ``stat_patch_spread`` (entropy of their mean), in nats: training has
    collapsed if a spread falls to 0, or if an entropy stays at ln Z.

    Args:
        student: Config of a :class:`MaskedPointEncoder`.
        teachers: ``ema``; by default an :class:`EMATeacher`.
        losses: See the table.
        helpers: None.
        num_masks: M, masks per global crop, which share the embedded patches.
        masks: Arguments of :func:`patch_masks`: ``ratio``, ``kind``, ``block_ratio``,
            ``adjust_ratio``.
        local_patches: Patches of a local crop; a global one has the backbone's.
        init_cfg: As in MMEngine.
    """

    combines = False  # its student is not a classifier
    needs_teachers = ('ema',)

    def __init__(
        self,
        student: dict,
        teachers: dict[str, dict] | None = None,
        losses: dict[str, dict] | None = None,
        helpers: dict[str, dict] | None = None,
        num_masks: int = 4,
        masks: dict | None = None,
        local_patches: int = 16,
        init_cfg: dict | None = None,
    ) -> None:
        self.needs_losses = tuple(losses or ())
        teachers = teachers or dict(ema=dict(type='EMATeacher'))
        super().__init__(student, teachers, losses, helpers, init_cfg)
        self.does_cls = self.student.cls_head is not None
        self.does_patch = self.student.predictor is not None
        self._check_losses()
        self.num_masks = num_masks
        self.masks = dict(masks or {})
        grouper = self.student.backbone.grouper
        self.local_grouper = PatchGrouper(
            local_patches, grouper.patch_size, grouper.compat, grouper.fps_start
        )

    def _check_losses(self) -> None:
        given = set(self.losses)
        does = dict(cls=self.does_cls, patch=self.does_patch)
        needed = {name for name in does if does[name]}
        allowed = needed | {_WITH[name] for name in needed}
        if not needed <= given <= allowed:
            raise ValueError(
                f'AsymDSD: losses are {sorted(given)}; a student '
                f'{"with" if self.does_cls else "without"} a class token and '
                f'{"with" if self.does_patch else "without"} a predictor needs {sorted(needed)} '
                f'and may have {sorted(allowed)}'
            )
        if not self._scale() > 0:
            raise ValueError('AsymDSD: every loss_weight is 0, nothing would be learned')

    def _scale(self) -> float:
        """The sum of the weights, which all terms are divided by."""
        return sum(loss.loss_weight for loss in self.losses.values())

    @property
    def evaluated_backbone(self) -> nn.Module:
        """The teacher's backbone, whose features are worth most."""
        return self.teachers['ema'].model.backbone

    def followed(self) -> nn.Module:
        return self.student.followed()

    def run_student(
        self, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> tuple[StudentViews, dict[str, Tensor]]:
        """Return the student's views of a batch, and no losses: there are no labels."""
        patches, centres, crops = self._patches(inputs, 'global_crops', self.student.backbone)
        local = None
        if self.does_cls and 'local_crops' in inputs:
            *local, _ = self._patches(inputs, 'local_crops', self.local_grouper)
        mask = None
        if self.does_patch:
            mask = patch_masks(centres, masks=self.num_masks, **self.masks)
        return self._views(patches, centres, crops, local, mask), {}

    def distill(
        self, out: StudentViews, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        crops = inputs['global_crops'].shape[1]
        terms, stats = self._terms(out, self._teach(out, crops))
        return {**{f'loss_{name}': value for name, value in terms.items()}, **stats}

    def step(
        self,
        global_crops: Crops,
        local_crops: Crops | None = None,
        mask: Tensor | None = None,
    ) -> Step:
        """Make one training step with everything given, so that it can be compared with other code:
        nothing is drawn at random (where ``drop_path`` is 0) and the centres move.

        Args:
            global_crops: C crops of each of B clouds.
            local_crops: Local crops, or None.
            mask: (B * C * M, P) bool, True where hidden; None in AsymSD-CLS.
        """
        crops = global_crops.points.shape[1]
        local = None if local_crops is None else _gather(local_crops)
        views = self._views(*_gather(global_crops), crops, local, mask)
        teacher = self._teach(views, crops)
        terms, _ = self._terms(views, teacher)
        scale = self._scale()
        with torch.no_grad():
            outputs = {f'cls_{k}': self.student.cls_head(v) for k, v in views.embeddings.items()}
            if views.predicted is not None:
                outputs['predicted'] = views.predicted.detach()
                outputs['patch'] = self.student.patch_head(views.predicted)
        return Step(
            total=sum(terms.values()),
            terms={
                name: value * scale / weight
                for name, value in terms.items()
                if (weight := self.losses[name].loss_weight)
            },
            student=outputs,
            teacher=teacher,
            centres={
                n: self.losses[n].centre.clone() for n in ('cls', 'patch') if n in self.losses
            },
        )

    def _patches(
        self, inputs: dict[str, Tensor], key: str, grouper: Any
    ) -> tuple[Tensor, Tensor, int]:
        """Return patches (B * C, P, K, 3) and centres (B * C, P, 3) of crops, and C."""
        if key not in inputs or inputs[key].dim() != 4:
            found = {name: tuple(value.shape) for name, value in inputs.items()}
            raise ValueError(
                f"AsymDSD needs inputs['{key}'] (B, C, N, 3), the batch has {found}. Put MultiCrop "
                "into the pipeline, and its keys into PackPointInputs(keys=('global_crops', ...))"
            )
        points = unit_sphere(inputs[key][..., :3].flatten(0, 1))
        group = getattr(grouper, 'patchify', grouper)
        return *group(points), inputs[key].shape[1]

    def _views(
        self,
        patches: Tensor,
        centres: Tensor,
        crops: int,
        local: Sequence[Tensor] | None,
        mask: Tensor | None,
    ) -> StudentViews:
        backbone = self.student.backbone
        tokens, positions = backbone.embed(patches, centres)  # once, for all masks
        embeddings, predicted = {}, None
        if self.does_cls:
            # a crop seen whole learns from the teacher's other crops, if patches are predicted too
            whole = slice(None) if mask is None else slice(1 if crops > 1 else 0)
            each = tokens.unflatten(0, (-1, crops))[:, whole].flatten(0, 1)
            where = positions.unflatten(0, (-1, crops))[:, whole].flatten(0, 1)
            if len(each):
                embeddings['unmasked'] = self._class_tokens(each, where, len(tokens) // crops)
        if mask is not None:
            visible, _ = backbone.encode(tokens, positions, mask)
            predicted = self.student.predictor(self.student.mask_token, positions, visible, mask)
            if self.does_cls:
                embeddings['masked'] = visible[:, 0].unflatten(0, (len(tokens) // crops, -1))
        if local is not None:
            embeddings['local'] = self._class_tokens(*backbone.embed(*local), len(tokens) // crops)
        return StudentViews(patches, centres, mask, embeddings, predicted)

    def _class_tokens(self, tokens: Tensor, positions: Tensor, clouds: int) -> Tensor:
        encoded, _ = self.student.backbone.encode(tokens, positions)
        return encoded[:, 0].unflatten(0, (clouds, -1))

    @torch.no_grad()
    def _teach(self, views: StudentViews, crops: int) -> TeacherViews:
        model = self.teachers['ema'].model
        encoded, _ = model.backbone.encode(*model.backbone.embed(views.patches, views.centres))
        patches = encoded[:, 1:] if self.does_cls else encoded
        return TeacherViews(
            model.cls_head(encoded[:, 0]).unflatten(0, (-1, crops)) if self.does_cls else None,
            model.patch_head(patches) if self.does_patch else None,
            patches,
        )

    def _terms(
        self, views: StudentViews, teacher: TeacherViews
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the weighted terms over the sum of the weights, and figures to log."""
        terms, stats = {}, {}
        for name, logits in (('cls', teacher.cls_logits), ('patch', teacher.patch_logits)):
            if logits is None:
                continue
            loss = self.losses[name]
            posterior = loss.posterior(logits)
            term = self._cls_term if name == 'cls' else self._patch_term
            terms[name] = term(views, posterior)
            stats[f'stat_{name}_entropy'], stats[f'stat_{name}_spread'] = loss.entropies(posterior)
            loss.update_centre(at_least_float32(logits).flatten(0, -2).mean(dim=0))
        if 'koleo' in self.losses:
            kinds = [views.embeddings[k] for k in ('unmasked', 'masked') if k in views.embeddings]
            terms['koleo'] = self.losses['koleo'](torch.cat(kinds, dim=1))
        if 'regression' in self.losses:
            target = teacher.patch_embeddings.flatten(0, 1)[self._hidden(views)]
            terms['regression'] = self.losses['regression'](views.predicted.flatten(0, 1), target)
        scale = self._scale()
        return {name: value / scale for name, value in terms.items()}, stats

    def _cls_term(self, views: StudentViews, posterior: Tensor) -> Tensor:
        kinds = []
        for kind, embeddings in views.embeddings.items():
            others = kind == 'unmasked' and views.mask is not None
            kinds.append(
                self.losses['cls'].against(
                    self.student.cls_head(embeddings), posterior[:, 1:] if others else posterior
                )
            )
        return torch.stack(kinds).mean()

    def _patch_term(self, views: StudentViews, posterior: Tensor) -> Tensor:
        """Go through the rows in parts, whose scores are computed again in the backward pass."""
        rows, posterior = views.predicted.flatten(0, 1), posterior.flatten(0, 1)

        def part(some: Tensor, where: Tensor) -> Tensor:
            scores = self.student.patch_head(some)
            return self.losses['patch'].against(scores, posterior[where]) * len(some)

        parts = zip(rows.split(_CHUNK), self._hidden(views).split(_CHUNK))
        total = [checkpoint(part, *p, use_reentrant=False, preserve_rng_state=False) for p in parts]
        return torch.stack(total).sum() / len(rows)

    def _hidden(self, views: StudentViews) -> Tensor:
        """Return (B * C * M * Q,): where each hidden patch is among the patches of all crops."""
        row, column = views.mask.nonzero(as_tuple=True)
        clouds, num = views.centres.shape[:2]
        return row // (len(views.mask) // clouds) * num + column


def _gather(crops: Crops) -> tuple[Tensor, Tensor]:
    flat = Crops(*(None if part is None else part.flatten(0, 1) for part in crops))
    points = unit_sphere(flat.points, flat.num_points)
    return take_patches(points, flat.centre_index, flat.patch_index)
