from pcdet_kd.cli.browse_dataset import main

if __name__ == '__main__':
    raise SystemExit(main())
