"""What a script or notebook calls: models by name, and the weights of published code."""

from pcdet_kd.apis.official import Conversion, Official, convert_file, convert_official

__all__ = ['Conversion', 'Official', 'convert_file', 'convert_official']
