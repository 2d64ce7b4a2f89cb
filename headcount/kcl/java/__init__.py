"""The Java half of the KCL: our entry point, what it is compiled with, the JRE that runs it."""
