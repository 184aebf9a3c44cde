from pcdet_kd.cli.few_shot import main

if __name__ == '__main__':
    raise SystemExit(main())
