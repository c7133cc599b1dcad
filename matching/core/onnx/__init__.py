"""Files of models made elsewhere, read without running them: what they hold, which features and scores they name."""

from matching.core.onnx.contents import Contents, Tensor, read_contents
from matching.core.onnx.interface import Interface, Manifest, Scale, interface_of

__all__ = ["Contents", "Interface", "Manifest", "Scale", "Tensor", "interface_of", "read_contents"]
