"""A remedy that asks for a stage or a closing reason names the column and its values."""

from contextlib import closing

import pytest

from shared.app import App
from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import OrgShape
from shared.operations.remedy_choices import how_to_answer


@pytest.mark.usefixtures("systems")
def test_an_org_without_closing_reasons_is_asked_for_none() -> None:
    with closing(App()) as app:
        shape = OrgShape(OrgCurrencies(has_several=False), hidden=frozenset({"Closing_Reason__c"}))
        assert "set Stage (StageName) to Closed Lost." in how_to_answer(app.translation.for_org(shape))
