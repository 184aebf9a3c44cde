from types import SimpleNamespace

from torch import nn

from pcdet_kd.engine import SampleNamesHook
from pcdet_kd.engine.runner import DEFAULT_HOOKS


class Remembers(nn.Module):
    names = None

    def set_samples(self, names):
        self.names = names


def dataset(*names):
    return SimpleNamespace(data_list=[dict(sample_id=name) for name in names])


def run(model, data):
    loader = SimpleNamespace(dataset=data)
    SampleNamesHook().before_train(SimpleNamespace(model=model, train_dataloader=loader))


def test_parts_that_ask_get_the_names_of_all_samples():
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(Remembers()))
    run(model, dataset('a', 'b'))
    assert model[1][0].names == ['a', 'b']
    run(model, SimpleNamespace(datasets=[dataset('a'), SimpleNamespace(dataset=dataset('b', 'c'))]))
    assert model[1][0].names == ['a', 'b', 'c']


def test_it_is_there_by_default_and_looks_at_no_data_without_need():
    assert DEFAULT_HOOKS['sample_names'] == dict(type='SampleNamesHook')
    run(nn.Linear(1, 1), None)
