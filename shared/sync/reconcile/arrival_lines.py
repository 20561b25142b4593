"""The first audit lines of an opportunity that was created from a referral."""

from shared.domain.plan import full_text_warnings
from shared.domain.records import Referral
from shared.domain.sentences import sentence
from shared.sync.context import Context
from shared.sync.ports import Line
from shared.sync.reconcile.audit_lines import FROM_PARTNER_CENTER, audit_line


def arrival_lines(ctx: Context, referral: Referral) -> tuple[Line, ...]:
    """Return the lines that report the creation, and each value of the referral that does not fit or cannot be read."""
    texts = [sentence("created_opportunity")]
    fitting, total = ctx.translation.cut_solutions(referral.deal)
    if fitting < total:
        texts.append(sentence("solutions_cut", fitting=fitting, all=total))
    texts += full_text_warnings(referral.deal, ctx.translation.rules).values()
    unreadable = (rule.label for rule in ctx.translation.rules.updatable if rule.field in referral.problems)
    texts += [sentence("unreadable", label=label) for label in unreadable]
    return tuple(audit_line(ctx.clock.now(), FROM_PARTNER_CENTER, text) for text in texts)
