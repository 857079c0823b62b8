import pytest
def test_one(project):
    project.tests('''
import pytest
@pytest.mark.whq(round=3)
def test_a(whq, client):
    reply = whq(client.chat, "Say hi.")
def test_b(): pass
''')
    r = project.run("-n2")
    r = project.run()
    assert 0
def test_two(project):
    project.tests('''
import pytest
def test_a(whq, client):
    reply = whq(client.chat, "Say hi.")
@pytest.mark.whq_budget(wh_per_query=0.05)
def test_b(whq, client):
    reply = whq(client.chat, "Say hi.")
''')
    r = project.run("-n2", "--whq-budget")
    r = project.run("--whq-budget")
    assert 0
