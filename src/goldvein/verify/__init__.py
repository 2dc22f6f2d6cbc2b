"""Checking a ledger, a receipt or an export without goldvein's server, its database or anybody's word.

Imports nothing but the standard library and `cryptography`, so that whoever checks has little to read and to install:
this folder can be copied to another machine as it is. The server makes its trees and signatures with the same code.
"""
