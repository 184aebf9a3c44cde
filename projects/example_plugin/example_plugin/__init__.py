from example_plugin.mean_max_net import MeanMaxNet

__all__ = ['MeanMaxNet']
