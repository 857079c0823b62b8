import pytest


def test_one(project):
    project.tests("""
import pytest
@pytest.mark.whq(round=3)
def test_a(whq, client):
    reply = whq(client.chat, "Say hi.")
def test_b(): pass
""")
    r = project.run_apart("-n2")
    r = project.run_apart("-n2", "-x")
    r = project.run_apart("-n2", "--dist=each")
    print(r.ret)
    assert 0
