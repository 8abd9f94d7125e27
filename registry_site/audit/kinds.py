"""Everything that people answer for, by name. The value is stored; a name never changes its meaning."""

from enum import StrEnum


class Kind(StrEnum):
    """`noun.verb`, alphabetical."""

    ALIAS_DELETED = "alias.deleted"
    ALIAS_SET = "alias.set"
    EXPERIMENT_CREATED = "experiment.created"
    EXPERIMENT_DELETED = "experiment.deleted"
    EXPERIMENT_RENAMED = "experiment.renamed"
    EXPERIMENT_RESTORED = "experiment.restored"
    GRANT_REMOVED = "grant.removed"
    GRANT_SET = "grant.set"
    MODEL_CREATED = "model.created"
    MODEL_DELETED = "model.deleted"
    MODEL_DESCRIBED = "model.described"
    MODEL_RENAMED = "model.renamed"
    MODEL_TAG_DELETED = "model.tag_deleted"
    MODEL_TAG_SET = "model.tag_set"
    PASSWORD_CHANGED = "password.changed"
    POLICY_SET = "policy.set"
    REQUEST_APPROVED = "request.approved"
    REQUEST_CANCELLED = "request.cancelled"
    REQUEST_CREATED = "request.created"
    REQUEST_REJECTED = "request.rejected"
    REQUEST_SUPERSEDED = "request.superseded"
    REVIEW_GIVEN = "review.given"
    RUN_DELETED = "run.deleted"
    RUN_RESTORED = "run.restored"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    USER_ADMIN_SET = "user.admin_set"
    USER_CREATED = "user.created"
    USER_DELETED = "user.deleted"
    USER_SIGNED_IN = "user.signed_in"
    VERSION_CREATED = "version.created"
    VERSION_DELETED = "version.deleted"
    VERSION_DESCRIBED = "version.described"
    VERSION_STAGE_CHANGED = "version.stage_changed"
    VERSION_TAG_DELETED = "version.tag_deleted"
    VERSION_TAG_SET = "version.tag_set"


class Origin(StrEnum):
    """Where a change came from."""

    PAGE = "page"
    REST = "rest"
    ADMIN = "admin"
    COMMAND = "command"
    TASK = "task"
